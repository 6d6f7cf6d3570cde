/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}

/** The median distance from the median, scaled to the standard deviation of a normal distribution (Hampel, 1974). */
export const spreadOf = (values: readonly number[]): number => {
  const middle = median(values)
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)))
}

/** The least spread, milliseconds: what the network and the scheduler do to anybody. */
const noiseMs = 1.5
/** So many spreads away from every neighbour is away. */
const far = 6

/**
 * Whether `own` times lie with those of at least one neighbour: its median no further from theirs than some spreads of
 * both. Medians and their deviations, since single times of a busy machine lie anywhere.
 */
export function isAmong(own: readonly number[], others: readonly (readonly number[])[]): boolean {
  return others.some((its) => {
    const allowed = far * Math.max(noiseMs, spreadOf(own), spreadOf(its))
    return Math.abs(median(own) - median(its)) <= allowed
  })
}
