import { jensenShannon, kolmogorovSmirnov, wasserstein } from '../../shared/statistics/index.ts'
import { kolmogorovTail } from '../../shared/statistics/kolmogorov.ts'
import { falseDiscoveryRates } from '../../shared/statistics/rates.ts'
import type { Conversation } from './conversation.ts'
import type { Pattern } from './patterns.ts'

/** How far two samples of traffic are from each other, feature by feature. */
export type Distance = {
  kind: string
  feature: string
  n: number
  m: number
  /** Largest distance of the distributions; for `kinds` the Jensen-Shannon divergence in bits; for `burst` of the two parts. */
  distance: number
  /** Of samples: the area between the distributions, in the feature's unit. */
  wasserstein?: number
}

const burstMs = 120_000
/** Values of a kind below which a distance says nothing. */
const least = 20

export const features: Record<string, (all: readonly Conversation[]) => number[]> = {
  request: (all) => all.flatMap(({ exchanges }) => exchanges.map(({ request }) => request)),
  response: (all) => all.flatMap(({ exchanges }) => exchanges.map(({ response }) => response)),
  pause: (all) => all.flatMap(({ exchanges }) => exchanges.map(({ pauseMs }) => pauseMs)),
  exchanges: (all) => all.map(({ exchanges }) => exchanges.length),
  interarrival: (all) => gapsOf(all),
}

function gapsOf(all: readonly Conversation[]): number[] {
  const at = all.map((one) => one.at).sort((a, b) => a - b)
  return at.slice(1).map((one, i) => one - (at[i] as number))
}

const burstOf = (all: readonly Conversation[]): number => {
  const gaps = gapsOf(all)
  return gaps.length === 0 ? 0 : gaps.filter((gap) => gap <= burstMs).length / gaps.length
}

/** Every feature of every kind that both have enough of, and the mix of kinds. Pure. */
export function distancesOf(a: readonly Conversation[], b: readonly Conversation[]): Distance[] {
  const [left, right] = [a, b].map((all) => Map.groupBy(all, ({ kind }) => kind)) as [
    Map<string, Conversation[]>,
    Map<string, Conversation[]>,
  ]
  const kinds = [...new Set([...left.keys(), ...right.keys()])].sort()
  const count = (of: Map<string, Conversation[]>) => kinds.map((kind) => of.get(kind)?.length ?? 0)
  const mix = jensenShannon(count(left), count(right))
  const rows: Distance[] = [{ kind: 'all', feature: 'kinds', n: a.length, m: b.length, distance: mix }]
  for (const kind of kinds) {
    const [own, other] = [left.get(kind) ?? [], right.get(kind) ?? []]
    for (const [feature, of] of Object.entries(features)) {
      const [x, y] = [of(own), of(other)]
      if (x.length < least || y.length < least) continue
      const distance = kolmogorovSmirnov(x, y).d
      rows.push({ kind, feature, n: x.length, m: y.length, distance, wasserstein: wasserstein(x, y) })
    }
    if (own.length >= least && other.length >= least) {
      const distance = Math.abs(burstOf(own) - burstOf(other))
      rows.push({ kind, feature: 'burst', n: own.length, m: other.length, distance })
    }
  }
  return rows
}

const significant = 0.01

const measured = ['request', 'response', 'pause', 'exchanges'] as const
export type MovedMost = { score: number; moved?: { kind: string; of: (typeof measured)[number]; n: number; p: number } }

/**
 * Drift score of what was made, against the patterns that it was drawn from: 100 times the largest distance of a distribution
 * among those that chance does not explain (Benjamini-Hochberg over all at 1 %). Undefined below `least` values of any. Pure.
 */
export function movedMost(patterns: readonly Pattern[], made: readonly Conversation[]): MovedMost | undefined {
  const found: { d: number; moved: NonNullable<MovedMost['moved']> }[] = []
  for (const pattern of patterns) {
    const own = made.filter(({ kind }) => kind === pattern.kind)
    for (const of of measured) {
      const [values, expected] = [features[of]?.(own) ?? [], expectedOf(pattern, of)]
      if (values.length < least || expected.length === 0) continue
      const { d } = kolmogorovSmirnov(values, expected)
      // As sure as the sample was large, not as the steps that are kept of it are many.
      const p = kolmogorovTail(d, values.length, Math.max(expected.length, pattern.n))
      found.push({ d, moved: { kind: pattern.kind, of, n: values.length, p } })
    }
  }
  if (found.length === 0) return undefined
  const rates = falseDiscoveryRates(found.map(({ moved }) => moved.p))
  const [first] = found.filter((_, i) => (rates[i] as number) <= significant).sort((a, b) => b.d - a.d)
  return first ? { score: Math.round(1000 * first.d) / 10, moved: first.moved } : { score: 0 }
}

export const scoreOf = (patterns: readonly Pattern[], made: readonly Conversation[]): number | undefined =>
  movedMost(patterns, made)?.score

/** The pattern's values, each class with its share, those that are told by their place with that of conversations in exchanges. */
function expectedOf(pattern: Pattern, feature: 'request' | 'response' | 'pause' | 'exchanges'): number[] {
  if (feature === 'exchanges') return pattern.exchanges
  const name = feature === 'pause' ? 'pauseMs' : feature
  const all = 256
  const spread = (values: readonly number[], share: number) => {
    const times = Math.round(share * all)
    return Array.from({ length: times }, (_, i) => values[Math.floor((i * values.length) / times)] as number)
  }
  const { opening = [], exchanges } = pattern
  const mean = exchanges.reduce((sum, one) => sum + one, 0) / Math.max(1, exchanges.length)
  const share = 1 / Math.max(1, mean, opening.length)
  return [
    ...opening.flatMap((one) => spread(one[name], share)),
    ...pattern.classes.flatMap((one) => spread(one[name], one.share * (1 - opening.length * share))),
  ]
}
