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

/**
 * The Page-Hinkley test for a change of a stream's mean, up or down (Page 1954; Gama et al. 2014, 3.2). `add` tells
 * whether the observation makes a change certain; after one it begins anew.
 */
export function makePageHinkley({
  least = 30,
  tolerance = 0.005,
  threshold = 50,
  memory = 0.9999,
}: PageHinkleyOptions = {}) {
  let [count, mean, up, down, lowest, highest] = [0, 0, 0, 0, 0, 0]
  const restart = () => {
    ;[count, mean, up, down] = [0, 0, 0, 0]
    ;[lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  }
  restart()
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
  }
}
