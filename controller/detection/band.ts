import type { SampleFeature } from '../../shared/schemas/baseline.ts'
import type { Worth } from '../../shared/statistics/index.ts'
import { kolmogorovTail } from '../../shared/statistics/kolmogorov.ts'
import { sizeOf } from '../../shared/statistics/samples.ts'

/**
 * How far a sample is outside all that lies between a faster and a slower one (any part of the answers may have had to wait).
 * The larger of the two one-sided distances of Kolmogorov and Smirnov; as tail that of the two-sided test, which is larger. Pure.
 */
export function outsideBand(
  faster: SampleFeature,
  slower: SampleFeature,
  seen: SampleFeature,
  worth: Worth = { known: 1, seen: 1 },
): { d: number; p: number } {
  const below = aheadOf(seen.values, faster.values)
  const above = aheadOf(slower.values, seen.values)
  const known = below > above ? faster : slower
  const d = Math.max(below, above)
  return { d, p: d <= 0 ? 1 : kolmogorovTail(d, sizeOf(known.values, worth.known), sizeOf(seen.values, worth.seen)) }
}

/** The most by which the distribution function of `x` is above that of `y`: how much smaller the values of `x` are. */
function aheadOf(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [Float64Array.from(x).sort(), Float64Array.from(y).sort()]
  let [most, i, j] = [0, 0, 0]
  while (i < a.length) {
    const value = a[i] as number
    while (i < a.length && (a[i] as number) <= value) i++
    while (j < b.length && (b[j] as number) <= value) j++
    most = Math.max(most, i / a.length - j / b.length)
  }
  return most
}
