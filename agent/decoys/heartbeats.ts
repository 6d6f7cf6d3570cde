import { lstat } from 'node:fs/promises'
import { join } from 'node:path'

/** Six beats of a service, and so long that a machine under load does not cost a session. */
export const hungAfterMs = 30_000

/**
 * Where a service may beat: in its container's memory, seen through its process; before images did that, in its folder.
 * No step of the first path is the service's own, and a link at its end is not followed.
 */
export const beatPlaces = (out: string, pid: number | undefined): string[] => [
  ...(pid === undefined ? [] : [`/proc/${pid}/root/marshlight/alive/beat`]),
  join(out, 'alive'),
]

/**
 * A service that is stopped or turns in a circle still runs for the engine. It touches its file every five seconds;
 * what counts is for how long no new beat was seen, by a clock that neither a time server nor a sleep sets.
 */
export function makeHeartbeats(monotonicMs: () => number = () => performance.now()) {
  const last = new Map<string, { beat: string; since: number }>()
  return {
    /** Milliseconds since the last new beat of this run; undefined for a service that has not begun to beat. */
    async quietFor(decoy: string, places: readonly string[], run: string): Promise<number | undefined> {
      const beats = await Promise.all(places.map((path) => lstat(path).catch(() => undefined)))
      const file = beats.find((one) => one && one.mtimeMs >= Date.parse(run))
      if (!file) {
        last.delete(decoy)
        return undefined
      }
      const beat = `${run} ${file.mtimeMs}`
      const known = last.get(decoy)
      if (known?.beat === beat) return monotonicMs() - known.since
      last.set(decoy, { beat, since: monotonicMs() })
      return 0
    },
    forget: (decoy: string): boolean => last.delete(decoy),
  }
}

export const isHung = ({ quietForMs }: { quietForMs?: number }): boolean => (quietForMs ?? 0) >= hungAfterMs
