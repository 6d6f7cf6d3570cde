/** The last lines of the log, in memory: for a box whose logs go nowhere else, and for the time before a fault. */
export type LogRing = {
  push(line: string): void
  /** Oldest first; of those no older than `since`, where it is given. */
  lines(since?: string): string[]
}

type Limits = { bytes: number; lineBytes: number }
const usual: Limits = { bytes: 262_144, lineBytes: 4096 }

/** Bounded by bytes: the oldest lines give way. A long line is cut. */
export function makeLogRing({ bytes: most, lineBytes }: Limits = usual): LogRing {
  let held: string[] = []
  let bytes = 0
  let first = 0

  return {
    push(line) {
      const text = line.trimEnd()
      // A copy, so that a short piece does not hold the long text that it is cut from.
      const kept = text.length > lineBytes ? Buffer.from(`${text.slice(0, lineBytes)}…`).toString() : text
      held.push(kept)
      bytes += kept.length
      while (bytes > most && first < held.length - 1) bytes -= held[first++]?.length ?? 0
      // Shifting a long array line by line would cost more than logging does.
      if (first > 1024 && first * 2 > held.length) {
        held = held.slice(first)
        first = 0
      }
    },
    lines: (since) => {
      const all = held.slice(first)
      return since === undefined ? all : all.filter((line) => timeOf(line) >= since)
    },
  }
}

/** When a line was logged, as ISO 8601. One without a time is as new as can be: it shall be seen. */
function timeOf(line: string): string {
  return /"time":"([^"]{20,30})"/.exec(line)?.[1] ?? '9'
}

/**
 * The newest of `lines` that fit: at most `count`, and `bytes` as JSON. How many older ones are left out, too.
 */
export function newest(
  lines: readonly string[],
  { count, bytes }: { count: number; bytes: number },
): { lines: string[]; leftOut: number } {
  let room = bytes
  let from = lines.length
  while (from > 0 && lines.length - from < count) {
    room -= Buffer.byteLength(JSON.stringify(lines[from - 1])) + 1
    if (room < 0) break
    from--
  }
  return { lines: lines.slice(from), leftOut: from }
}
