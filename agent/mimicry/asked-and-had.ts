import { kolmogorovSmirnov } from '../../shared/statistics/index.ts'
import { kolmogorovTail } from '../../shared/statistics/kolmogorov.ts'
import { falseDiscoveryRates } from '../../shared/statistics/rates.ts'
import type { Asked } from './slice.ts'
import type { Told } from './told.ts'

const compared = ['request', 'response', 'pause', 'exchanges'] as const
type Compared = (typeof compared)[number]
type Values = Partial<Record<Compared, number[]>>
/** One conversation as the pod was asked to have it, and as it had it: what is up to the pod, value by value. */
export type Pair = { kind: string; asked: Values; had: Values }
export type MovedMost = { score: number; moved?: { kind: string; of: Compared; n: number; p: number } }

/** Exchanges that are a handshake where peers talk: it is as large as it is (images/pod/mimic_ssh.py, mimic_peers.py). */
const handshake = (kind: string): number => (kind === 'ssh' ? 3 : 1)
/** Between peers nothing is smaller, with what ends a TLS handshake, and nothing larger. */
const sizes = { least: 128, most: 8 << 20 }
/** By how much what was had may be away, or by what part of it: nobody notices, and a busy machine is so late. */
const near: Record<Compared, { by: number; part: number }> = {
  request: { by: 16, part: 0.05 },
  response: { by: 16, part: 0.05 },
  pause: { by: 10, part: 0.2 },
  exchanges: { by: 0, part: 0 },
}
/** Values of a kind below which a distance says nothing. */
const least = 20
const significant = 0.01

/**
 * What can be compared. Sizes at real places are those of their names, files and answers, whatever was asked; between peers
 * they are what is asked, but for the handshake. Nothing is said before there is a connection. Pure.
 */
export function pairOf({ kind, target, exchanges }: Asked, told: Extract<Told, { type: 'done' }>): Pair {
  if (target.role === 'peer') {
    const opened = handshake(kind)
    const own = exchanges.length > opened ? exchanges.slice(opened) : exchanges.slice(-1)
    return { kind, asked: valuesOf(own), had: valuesOf(told.exchanges.slice(opened)) }
  }
  const connected = target.proto === 'tcp' ? (told.connectMs ?? 0) : 0
  const pauses = (of: Asked['exchanges'], first: number) =>
    of.map(([, , ms], i) => (i === 0 ? Math.max(ms, first) : ms))
  return {
    kind,
    asked: { pause: pauses(exchanges, connected), exchanges: [exchanges.length] },
    had: { pause: pauses(told.exchanges, 0), exchanges: [told.exchanges.length] },
  }
}

const valuesOf = (exchanges: Asked['exchanges']): Values => ({
  request: exchanges.map(([request]) => within(request)),
  response: exchanges.map(([, response]) => within(response)),
  pause: exchanges.map(([, , pause]) => pause),
  exchanges: [exchanges.length],
})

const within = (bytes: number): number => Math.min(sizes.most, Math.max(sizes.least, bytes))

/**
 * Drift score of what was had, against what was asked: 100 times the largest distance of two distributions among those that
 * chance does not explain (Benjamini-Hochberg over all at 1 %). A value that is near enough counts as the asked one, so that
 * many equal ones are not far from each other for a little. Undefined below `least` values of any. Pure.
 */
export function movedMost(pairs: readonly Pair[]): MovedMost | undefined {
  const found: { d: number; moved: NonNullable<MovedMost['moved']> }[] = []
  for (const [kind, own] of Map.groupBy(pairs, (pair) => pair.kind))
    for (const of of compared) {
      const asked = own.flatMap((pair) => pair.asked[of] ?? [])
      const had = own.flatMap((pair) => nearest(pair.asked[of] ?? [], pair.had[of] ?? [], near[of]))
      if (Math.min(asked.length, had.length) < least) continue
      const { d } = kolmogorovSmirnov(had, asked)
      found.push({ d, moved: { kind, of, n: had.length, p: kolmogorovTail(d, had.length, asked.length) } })
    }
  if (found.length === 0) return undefined
  const rates = falseDiscoveryRates(found.map(({ moved }) => moved.p))
  const [first] = found.filter((_, i) => (rates[i] as number) <= significant).sort((a, b) => b.d - a.d)
  return first ? { score: Math.round(1000 * first.d) / 10, moved: first.moved } : { score: 0 }
}

function nearest(asked: readonly number[], had: readonly number[], { by, part }: (typeof near)[Compared]): number[] {
  return had.map((value, i) => {
    const wanted = asked[i]
    return wanted !== undefined && Math.abs(value - wanted) <= Math.max(by, part * wanted) ? wanted : value
  })
}
