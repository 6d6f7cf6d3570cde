import { normalBelow, poissonLower, poissonUpper } from './special.ts'

export { poissonLower, poissonUpper } from './special.ts'

/** P of a count as far from the mean `mu` as `k`, on either side: twice the smaller tail (Garwood 1936). */
export const poissonTwoSided = (k: number, mu: number): number =>
  Math.min(1, 2 * Math.min(poissonUpper(k, mu), poissonLower(k, mu)))

/** Interval of a proportion, `k` of `n`, that holds it with probability `level` (Wilson 1927). */
export function wilson(k: number, n: number, level = 0.95): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 }
  const z = normalBelow(1 - (1 - level) / 2)
  const share = k / n
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2))
  return { low: k === 0 ? 0 : middle - half, high: k === n ? 1 : middle + half }
}

/** For each p-value the least rate of false discoveries at which it counts as one (Benjamini and Hochberg 1995). */
export function falseDiscoveryRates(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => (p[b] as number) - (p[a] as number))
  const rates = new Array<number>(p.length)
  let least = 1
  order.forEach((i, fromLast) => {
    least = Math.min(least, ((p[i] as number) * p.length) / (p.length - fromLast))
    rates[i] = least
  })
  return rates
}
