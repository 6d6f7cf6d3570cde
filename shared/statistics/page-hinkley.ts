export type PageHinkleyOptions = {
  /** Observations before anything is told. */
  least?: number
  /** Deviations of the mean that are let pass, in the unit of the stream. */
  tolerance?: number
  /** How far the sum of deviations may go, in the unit of the stream. */
  threshold?: number
  /** What is kept of the sum at each step: older deviations count less. */
  memory?: number
}

/** What a test remembers, to be kept and given to another. A null is an extreme that has not been seen. */
export type PageHinkleyState = {
  count: number
  mean: number
  up: number
  down: number
  lowest: number | null
  highest: number | null
}

/**
 * The Page-Hinkley test for a change of a stream's mean, up or down (Page 1954; Gama et al. 2014, 3.2). `add` tells
 * whether the observation makes a change certain; after one it begins anew.
 */
export function makePageHinkley(
  { least = 30, tolerance = 0.005, threshold = 50, memory = 0.9999 }: PageHinkleyOptions = {},
  kept?: PageHinkleyState,
) {
  let [count, mean, up, down, lowest, highest] = [0, 0, 0, 0, 0, 0]
  const restart = () => {
    ;[count, mean, up, down] = [0, 0, 0, 0]
    ;[lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  }
  restart()
  if (kept) {
    ;({ count, mean, up, down } = kept)
    lowest = kept.lowest ?? Number.POSITIVE_INFINITY
    highest = kept.highest ?? Number.NEGATIVE_INFINITY
  }
  return {
    add(value: number): 'up' | 'down' | undefined {
      count++
      mean += (value - mean) / count
      const away = value - mean
      up = memory * up + away - tolerance
      down = memory * down + away + tolerance
      lowest = Math.min(lowest, up)
      highest = Math.max(highest, down)
      if (count < least) return undefined
      const moved = up - lowest > threshold ? 'up' : highest - down > threshold ? 'down' : undefined
      if (moved) restart()
      return moved
    },
    mean: () => mean,
    state: (): PageHinkleyState => ({
      count,
      mean,
      up,
      down,
      lowest: Number.isFinite(lowest) ? lowest : null,
      highest: Number.isFinite(highest) ? highest : null,
    }),
  }
}
