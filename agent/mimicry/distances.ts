import { jensenShannon, kolmogorovSmirnov, wasserstein } from '../../shared/statistics/index.ts'
import type { Conversation } from './conversation.ts'

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
