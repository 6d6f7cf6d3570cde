import { MarshlightError } from '../../shared/errors.ts'

const minute = 60_000
/** A typist who reads his code wrongly comes a few times; 40 bits last for ages at this pace. */
const perSource = { most: 10, windowMs: 15 * minute }
/** From everywhere together, so that many addresses do not guess faster. */
const together = { most: 300, windowMs: 60 * minute }
/** Each with a time of its own; beyond that many only the common bound is kept. */
const sourcesKept = 10_000

type Count = { since: number; wrong: number }

/**
 * Counts codes that nobody made. Codes alone are refused then: tokens and files have 192 bits and need no bound.
 *
 *   wrong ... wrong (10 from one address in 15 minutes, or 300 in an hour) -> CODE_GUESSED until the window ends
 */
export function makeGuesses(now: () => number) {
  const bySource = new Map<string, Count>()
  let all: Count = { since: now(), wrong: 0 }

  const fresh = (count: Count | undefined, windowMs: number): Count =>
    count && now() - count.since < windowMs ? count : { since: now(), wrong: 0 }

  return {
    /** Throws CODE_GUESSED where no code is taken now. */
    check(source: string): void {
      const refuse = (from: string, { since }: Count, windowMs: number) =>
        new MarshlightError('CODE_GUESSED', { from, until: new Date(since + windowMs).toISOString() })
      const own = fresh(bySource.get(source), perSource.windowMs)
      if (own.wrong >= perSource.most) throw refuse(`from ${source}`, own, perSource.windowMs)
      const any = fresh(all, together.windowMs)
      if (any.wrong >= together.most) throw refuse('from many addresses', any, together.windowMs)
    },
    /** Notes a wrong one; true where it is the one that closes the door, which is worth telling. */
    wrong(source: string): boolean {
      for (const [ip, { since }] of bySource) if (now() - since >= perSource.windowMs) bySource.delete(ip)
      const own = fresh(bySource.get(source), perSource.windowMs)
      own.wrong++
      if (bySource.size < sourcesKept || bySource.has(source)) bySource.set(source, own)
      all = fresh(all, together.windowMs)
      all.wrong++
      return own.wrong === perSource.most || all.wrong === together.most
    },
  }
}
