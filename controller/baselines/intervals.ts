import type { Feature } from '../../shared/schemas/baseline.ts'
import { binomialLower, poissonLower, poissonUpper, wilson } from '../../shared/statistics/index.ts'

/** A feature in figures: what is usual, and between what that lies with a probability of 95 %. */
export type Figures = {
  form: Feature['form']
  /** Observations; of a rate the things that were counted. */
  n: number
  /** A median, things an hour, or a share of 1; undefined where nothing was seen. */
  typical?: number
  low?: number
  high?: number
  /** `ms`, `bytes`, `an hour`, `share`. */
  unit: string
  /** Of a mix: its most frequent kinds, each with its own interval. */
  kinds?: { kind: string; share: number; low: number; high: number }[]
}

const level = 0.95
const tail = (1 - level) / 2
const mostKinds = 8

export function figuresOf(feature: Feature): Figures {
  switch (feature.form) {
    case 'sample':
      return { form: 'sample', n: feature.n, unit: feature.unit, ...medianOf(feature.values) }
    case 'rate':
      return { form: 'rate', n: feature.count, unit: 'an hour', ...hourly(feature.count, feature.seconds / 3600) }
    case 'share':
      return { form: 'share', n: feature.of, unit: 'share', ...shareOf(feature.part, feature.of) }
    case 'mix':
      return mixOf(feature.counts)
  }
}

/**
 * The middle value, with the interval between two values of the sample that holds the population's for whatever
 * distribution it has (Hahn and Meeker 1991, 5.2); fewer than six values give none.
 */
function medianOf(values: readonly number[]): Pick<Figures, 'typical' | 'low' | 'high'> {
  const sorted = Float64Array.from(values).sort()
  const n = sorted.length
  if (n === 0) return {}
  const typical = ((sorted[Math.floor((n - 1) / 2)] as number) + (sorted[Math.floor(n / 2)] as number)) / 2
  let below = 0
  while (below + 1 < n / 2 && binomialLower(below, n, 0.5) <= tail) below++
  if (below === 0) return { typical }
  return { typical, low: sorted[below - 1] as number, high: sorted[n - below] as number }
}

/** With the exact interval of a count (Garwood 1936). */
function hourly(count: number, hours: number): Pick<Figures, 'typical' | 'low' | 'high'> {
  const most = 10 + 2 * count + 10 * Math.sqrt(count)
  const low = count === 0 ? 0 : solve((mean) => poissonUpper(count, mean) > tail, most)
  const high = solve((mean) => poissonLower(count, mean) <= tail, most)
  return { typical: count / hours, low: low / hours, high: high / hours }
}

/** The least mean below `most` for which `holds`, which it does for all larger ones. */
function solve(holds: (mean: number) => boolean, most: number): number {
  let [low, high] = [0, most]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}

const shareOf = (part: number, of: number): Pick<Figures, 'typical' | 'low' | 'high'> =>
  of === 0 ? {} : { typical: part / of, ...wilson(part, of, level) }

function mixOf(counts: Readonly<Record<string, number>>): Figures {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const sorted = Object.entries(counts).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
  const kinds = sorted
    .slice(0, mostKinds)
    .map(([kind, count]) => ({ kind, share: count / all, ...wilson(count, all, level) }))
  return { form: 'mix', n: all, unit: 'share', kinds }
}
