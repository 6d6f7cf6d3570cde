/** What was seen of this process since the last look. */
export type Seen = {
  /** Part of the time in which it had work, 0 to 1. */
  busy: number
  /** How long the look itself was late, milliseconds: as long as anybody's message waits for its turn. */
  lateMs: number
  /** Newcomers that wait to be let in. */
  waiting: number
}

type PlacesLimits = { least: number; first: number; most: number }

/**
 * `least` is more than keeps a full process full: what fills it may be the work of those who are in, beside which a
 * newcomer's turn comes the sooner the more of them have one.
 */
export const usualPlaces: PlacesLimits = { least: 48, first: 64, most: 256 }
const [idle, full] = [0.8, 0.95]
const lateAtMostMs = 250
const [growth, shrinking] = [1.25, 0.8]

/**
 * How many newcomers may be on their way in at a time, by what this process bears: found by trying, as TCP finds its window.
 * While it has time left, more come in: those on slow lines spend their time waiting for bytes. Once it is full, more at a
 * time make none of them faster, and only keep those waiting who are in; so they become fewer, down to as many as keep
 * it full.
 */
export function makePlaces({ least, first, most }: PlacesLimits): { count(): number; look(seen: Seen): void } {
  let places = Math.min(first, most)
  return {
    count: () => Math.round(places),
    look({ busy, lateMs, waiting }) {
      if (busy > full) places = Math.max(Math.min(least, most), places * shrinking)
      else if (busy < idle && lateMs < lateAtMostMs && waiting > 0) places = Math.min(most, places * growth)
    },
  }
}
