import type { Random } from '../../shared/random.ts'

/** Milliseconds. */
export type Delays = {
  /** The shortest, and where it begins after a good connection. */
  firstMs: number
  /** The longest while nobody answers, and while the controller has too many at its door. */
  capMs: number
  busyCapMs: number
  /** About so long after the certificate was refused. */
  refusedMs: number
}

export type End = 'unreachable' | 'busy' | 'refused'

const growth = 3

/**
 * How long to wait before the next attempt: drawn from [first, three times the last one], up to a cap (decorrelated
 * jitter). All of a site lose the controller in the same instant, and shall not come back in one; so the cap bounds what
 * is drawn from, and not what was drawn, by which most would come to wait for exactly the cap.
 */
export function makePatience(delays: Delays, random: Random): { after(end: End): number; good(): void } {
  const { firstMs, capMs, busyCapMs, refusedMs } = delays
  let last = firstMs
  return {
    after(end) {
      if (end === 'refused') return Math.round(refusedMs / 2 + (random() * refusedMs) / 2)
      const cap = end === 'busy' ? busyCapMs : capMs
      const from = end === 'busy' ? Math.min(firstMs * growth, cap / growth) : firstMs
      const to = Math.max(from, Math.min(cap, Math.max(last, from) * growth))
      last = Math.round(from + random() * (to - from))
      return last
    },
    /** The connection held: what comes next has nothing to do with what was before. */
    good() {
      last = firstMs
    },
  }
}
