/** Longer lines are cut: what a container says is no reason to use up memory. */
const longest = 262_144

/** Takes pieces of text as they come, and tells each line that is whole. */
export function lineSplitter(onLine: (line: string) => void): (piece: Buffer) => void {
  let rest = ''
  return (piece) => {
    const lines = (rest + piece.toString('utf8')).split('\n')
    rest = (lines.pop() ?? '').slice(0, longest)
    for (const line of lines) onLine(line.slice(0, longest))
  }
}
