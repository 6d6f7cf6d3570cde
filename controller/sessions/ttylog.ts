/**
 * Cowrie's tty log: frames of a 24-byte little-endian head `<iLiiLL` (operation, tty, length, direction, seconds,
 * microseconds) and `length` bytes. Read in cowrie/core/ttylog.py and scripts/playlog.py of Cowrie 3.1.4.
 */
export type TtyFrame = { atMs: number; direction: 'input' | 'output' | 'interact'; data: Buffer }

const headBytes = 24
const operations = { close: 2, write: 3 } as const
const directions = { 1: 'input', 2: 'output', 3: 'interact' } as const

/**
 * The frames of a log, times in milliseconds since its first frame. A log that was cut (size cap, crash) gives what is
 * whole of it; `complete` tells whether its end was seen.
 */
export function parseTtyLog(log: Buffer): { frames: TtyFrame[]; complete: boolean } {
  const frames: TtyFrame[] = []
  let began: number | undefined
  let offset = 0
  while (offset + headBytes <= log.length) {
    const operation = log.readInt32LE(offset)
    const length = log.readInt32LE(offset + 8)
    const direction = log.readInt32LE(offset + 12)
    const at = log.readUInt32LE(offset + 16) * 1000 + log.readUInt32LE(offset + 20) / 1000
    offset += headBytes
    if (operation === operations.close) return { frames, complete: true }
    if (length < 0 || offset + length > log.length) break
    began ??= at
    const named = directions[direction as 1 | 2 | 3]
    if (operation === operations.write && named)
      frames.push({ atMs: Math.max(0, at - began), direction: named, data: log.subarray(offset, offset + length) })
    offset += length
  }
  return { frames, complete: false }
}

/** The frames a viewer of the session would have seen: the terminal's output, and the command of an exec request. */
export const shownFrames = (frames: readonly TtyFrame[]): TtyFrame[] =>
  frames.filter(({ direction }) => direction !== 'input')

/** asciicast v2: a head, then `[seconds, "o", text]` lines. Raw: it holds whatever the attacker's programs wrote. */
export function asciicast(
  frames: readonly TtyFrame[],
  head: { width: number; height: number; startedAt: string; title: string },
): string {
  const { width, height, startedAt, title } = head
  const decoder = new TextDecoder()
  const lines = shownFrames(frames).map(({ atMs, data }) => [
    Number((atMs / 1000).toFixed(6)),
    'o',
    decoder.decode(data, { stream: true }).replace(/\r?\n/g, '\r\n'),
  ])
  const first = { version: 2, width, height, timestamp: Math.floor(Date.parse(startedAt) / 1000), title }
  return `${[first, ...lines].map((line) => JSON.stringify(line)).join('\n')}\n`
}
