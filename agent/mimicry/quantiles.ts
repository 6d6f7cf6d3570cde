import type { Random } from '../../shared/random.ts'

/** A distribution as its values at even steps of probability, ascending: what is kept of however many numbers. */
export type Quantiles = number[]

const steps = 64

export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length <= steps) return [...sorted]
  // The middles of equally many values each: ends and mean stay where they are.
  return Array.from({ length: steps }, (_, i) => {
    const [from, to] = [Math.floor((i * sorted.length) / steps), Math.floor(((i + 1) * sorted.length) / steps)]
    return sorted.subarray(from, to).reduce((sum, value) => sum + value, 0) / (to - from)
  })
}

/**
 * A number of the distribution: a step, and from there towards a neighbour by up to half the way, in logarithms where both
 * are above zero, so that values between the kept ones come too and ties stay ties.
 */
export function drawFrom(quantiles: Quantiles, random: Random): number {
  if (quantiles.length === 0) throw new RangeError('no values to draw from')
  const at = Math.min(quantiles.length - 1, Math.floor(random() * quantiles.length))
  const own = quantiles[at] as number
  const neighbour = quantiles[at + (random() < 0.5 ? -1 : 1)] ?? own
  const part = random() / 2
  return own > 0 && neighbour > 0 ? own * (neighbour / own) ** part : own + (neighbour - own) * part
}
