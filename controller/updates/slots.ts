import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'

/** Seconds that each box which waits adds to the time over which all of them come again, and its bounds. */
const secondsEach = 2
const [leastSeconds, mostSeconds] = [10, 900]
const rememberedMs = 900_000

/**
 * Who may download now: `most` boxes, each once. A box that comes again before its last download ended (its line broke and
 * nobody told) takes its own place. Who finds none is told when to come again, drawn over a time that grows with how many wait.
 */
export function makeSlots(most: number, { clock, random }: { clock: Clock; random: Random }) {
  const taken = new Map<string, AbortController>()
  const waiting = new Map<string, number>()

  return {
    take(agent: string): { signal: AbortSignal; release(): void } | { retryAfterSeconds: number } {
      const now = clock.now()
      for (const [who, since] of waiting) if (now - since > rememberedMs) waiting.delete(who)
      const own = taken.get(agent)
      if (!own && taken.size >= most) {
        waiting.set(agent, now)
        const spread = Math.min(Math.max(waiting.size * secondsEach, leastSeconds), mostSeconds)
        return { retryAfterSeconds: Math.ceil(leastSeconds / 2 + random() * spread) }
      }
      own?.abort()
      waiting.delete(agent)
      const mine = new AbortController()
      taken.set(agent, mine)
      return {
        signal: mine.signal,
        release: () => void (taken.get(agent) === mine && taken.delete(agent)),
      }
    },
    /** Ends what the agent downloads. */
    end: (agent: string): void => taken.get(agent)?.abort(),
    taken: (): number => taken.size,
  }
}

/** Passes on `content`, all that share this pacer together at most `bytesPerSecond`; without a number as it comes. */
export function makePacer(bytesPerSecond: number | undefined, clock: Clock) {
  let free = 0
  return async function* paced(content: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
    for await (const chunk of content) {
      signal.throwIfAborted()
      if (bytesPerSecond !== undefined) {
        // A line that was idle owes nothing and has nothing saved up.
        const from = Math.max(free, clock.now())
        free = from + (chunk.length / bytesPerSecond) * 1000
        if (from > clock.now()) await clock.sleep(from - clock.now(), signal)
      }
      yield chunk
    }
  }
}
