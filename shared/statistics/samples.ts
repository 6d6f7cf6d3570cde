import type { Worth } from './dependence.ts'
import { kolmogorovTail } from './kolmogorov.ts'
import { normalTwoSided } from './special.ts'

/** Comparisons of two samples of numbers, such as delays or sizes. None changes its arguments. */

type Sample = readonly number[]

export const sorted = (sample: Sample): Float64Array => Float64Array.from(sample).sort()

/**
 * The two-sample Kolmogorov-Smirnov test: `d` the largest distance of the distributions, 0 to 1, `p` its tail. Where the
 * observations are not independent, the tail is that of as many independent ones as they are worth.
 */
export function kolmogorovSmirnov(
  x: Sample,
  y: Sample,
  worth: Worth = { known: 1, seen: 1 },
): { d: number; p: number } {
  if (x.length === 0 || y.length === 0) return { d: 0, p: 1 }
  const d = distanceOf(sorted(x), sorted(y))
  return { d, p: kolmogorovTail(d, sizeOf(x, worth.known), sizeOf(y, worth.seen)) }
}

export const sizeOf = ({ length }: Sample, effect: number): number => Math.max(1, Math.floor(length / effect))

function distanceOf(x: Float64Array, y: Float64Array): number {
  let most = 0
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    const value = Math.min(x[i] as number, y[j] as number)
    while (i < x.length && x[i] === value) i++
    while (j < y.length && y[j] === value) j++
    // One rounding: the statistic is a whole number over the product of the sizes.
    most = Math.max(most, Math.abs(i * y.length - j * x.length))
  }
  return most / (x.length * y.length)
}

/** The Wasserstein distance of order 1, in the unit of the samples: the area between their distribution functions. */
export function wasserstein(x: Sample, y: Sample): number {
  if (x.length === 0 || y.length === 0) return 0
  const [a, b] = [sorted(x), sorted(y)]
  let [sum, i, j] = [0, 0, 0]
  let last = Math.min(a[0] as number, b[0] as number)
  while (i < a.length || j < b.length) {
    const value = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY)
    sum += Math.abs(i / a.length - j / b.length) * (value - last)
    last = value
    while (i < a.length && a[i] === value) i++
    while (j < b.length && b[j] === value) j++
  }
  return sum
}

/**
 * The Mann-Whitney test: `u` of the first sample, `p` two-sided by the normal approximation with the corrections for
 * continuity and for ties (Hollander, Wolfe and Chicken 2014, 4.1).
 */
export function mannWhitney(x: Sample, y: Sample): { u: number; p: number } {
  const [m, n] = [x.length, y.length]
  if (m === 0 || n === 0) return { u: 0, p: 1 }
  const pooled = [...x.map((value) => ({ value, first: true })), ...y.map((value) => ({ value, first: false }))]
  pooled.sort((a, b) => a.value - b.value)
  let [ranks, ties] = [0, 0]
  for (let from = 0; from < pooled.length; ) {
    let to = from
    while (to < pooled.length && pooled[to]?.value === pooled[from]?.value) to++
    const [tied, rank] = [to - from, (from + to + 1) / 2]
    ties += tied ** 3 - tied
    for (let i = from; i < to; i++) if (pooled[i]?.first) ranks += rank
    from = to
  }
  const u = ranks - (m * (m + 1)) / 2
  const all = m + n
  const spread = Math.sqrt(((m * n) / 12) * (all + 1 - ties / (all * (all - 1))))
  const away = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5)
  return { u, p: spread === 0 ? 1 : normalTwoSided(away / spread) }
}
