/** What a piece of an event file holds. Offsets count bytes from the start of the piece. */
export type Lines = {
  lines: string[]
  /** Bytes that are dealt with; the rest is a line that has no end yet. */
  consumed: number
  /** The piece is one line without an end: it is too long, and what follows up to its end is dropped too. */
  overlong: boolean
}

const newline = 0x0a

/**
 * The whole lines of `piece`. A line that fills all of `limit` is given up as overlong; `skipping` means that the piece
 * begins within such a line.
 */
export function wholeLines(piece: Buffer, limit: number, skipping: boolean): Lines {
  const from = skipping ? piece.indexOf(newline) + 1 : 0
  if (skipping && from === 0) return { lines: [], consumed: piece.length, overlong: true }
  const end = piece.lastIndexOf(newline) + 1
  if (end <= from) {
    const overlong = piece.length - from >= limit
    return { lines: [], consumed: overlong ? piece.length : from, overlong }
  }
  const lines = piece
    .subarray(from, end - 1)
    .toString('utf8')
    .split('\n')
  return { lines: lines.filter((line) => line !== ''), consumed: end, overlong: false }
}

const numbered = /^events-(\d{1,15})\.jsonl$/

export type EventFile = { name: string; number: number }

/** The event files among `names`, oldest first. */
export function eventFiles(names: readonly string[]): EventFile[] {
  return names
    .flatMap((name) => {
      const number = numbered.exec(name)?.[1]
      return number === undefined ? [] : [{ name, number: Number(number) }]
    })
    .sort((a, b) => a.number - b.number)
}

/**
 * Where to read: the file of the position, or, where that was dealt with and removed, the next after it. A position
 * beyond all files is of an earlier life of the folder, and does not count.
 */
export function placeToRead(
  files: readonly EventFile[],
  position: { file: string; offset: number } | undefined,
): { file: EventFile; offset: number } | undefined {
  const first = files[0]
  const at = position && eventFiles([position.file])[0]
  if (!position || !at) return first && { file: first, offset: 0 }
  const same = files.find(({ number }) => number === at.number)
  if (same) return { file: same, offset: position.offset }
  const next = files.find(({ number }) => number > at.number) ?? first
  return next && { file: next, offset: 0 }
}
