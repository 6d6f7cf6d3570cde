import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'

/** How long a download is taken to be, seconds, before any was seen. */
const usualSeconds = 3
/** How much the last download tells of how long the next ones take. */
const share = 1 / 8
/**
 * Bounds of the time over which those who wait come again: a thousand that ask in vain every few minutes cost less than
 * places that stay empty because downloads took longer a while ago.
 */
const [leastSeconds, mostSeconds] = [10, 180]
const rememberedMs = 900_000

/**
 * Who may download now: `most` boxes, each once. A box that comes again before its last download ended (its line broke and
 * nobody told) takes its own place. Who finds none is told when to come again, drawn over the time in which as many as wait
 * get their turn, by how long downloads take: a small part by good lines goes to a thousand boxes in a minute.
 */
export function makeSlots(most: number, { clock, random }: { clock: Clock; random: Random }) {
  const taken = new Map<string, { ends: AbortController; since: number }>()
  const waiting = new Map<string, number>()
  let seconds = usualSeconds

  /** How long a download takes, by those that ended lately, and by those under way, which may be thin lines' all of them. */
  function duration(now: number): number {
    const under = [...taken.values()].reduce((sum, { since }) => sum + now - since, 0) / 1000
    return Math.max(seconds, under / Math.max(taken.size, 1))
  }

  return {
    take(agent: string): { signal: AbortSignal; release(): void } | { retryAfterSeconds: number } {
      const now = clock.now()
      for (const [who, since] of waiting) if (now - since > rememberedMs) waiting.delete(who)
      const own = taken.get(agent)
      if (!own && taken.size >= most) {
        waiting.set(agent, now)
        const spread = Math.min(Math.max((waiting.size * duration(now)) / most, leastSeconds), mostSeconds)
        return { retryAfterSeconds: Math.ceil(leastSeconds / 2 + random() * spread) }
      }
      own?.ends.abort()
      waiting.delete(agent)
      const mine = { ends: new AbortController(), since: now }
      taken.set(agent, mine)
      return {
        signal: mine.ends.signal,
        release() {
          if (taken.get(agent) !== mine) return
          taken.delete(agent)
          seconds += ((clock.now() - now) / 1000 - seconds) * share
        },
      }
    },
    /** Ends what the agent downloads. */
    end: (agent: string): void => taken.get(agent)?.ends.abort(),
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
