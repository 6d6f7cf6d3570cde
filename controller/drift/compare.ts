import { seededRandom } from '../../shared/random.ts'
import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import {
  falseDiscoveryRates,
  gTest,
  jensenShannon,
  kolmogorovSmirnov,
  permutationTest,
  twoRates,
  twoShares,
  type Worth,
} from '../../shared/statistics/index.ts'
import { medianOf } from './median.ts'

/** What one feature shows. `effect`: 0 as expected, 1 as different as can be. `p`: how often chance alone shows so much. */
export type Moved = { feature: FeatureName; effect: number; p: number; words: string }
export type Finding = Moved & {
  /** The rate of false discoveries at which this counts as one. */ q: number
  significant: boolean
}

export type Comparison = {
  /** 0 to 100: the largest significant effect; 0 where none is. */
  score: number
  /** Largest effect first, significant ones before the others. */
  findings: Finding[]
  /** Features with too few observations to say anything. */
  tooFew: FeatureName[]
}

export type Rules = {
  /** Findings count up to this rate of false discoveries; with no drift at all, so often one of all features is told. */
  falseDiscoveries: number
  /** Observations that both sides must have. */
  leastObservations: number
  /**
   * Where re-labelling would be needed, it is done only when the test with rare kinds as one says less than this; and what
   * no re-labelling reached is told by that test, since their number bounds how rare a thing they can tell. 1: always done.
   */
  relabelBelow?: number
}
export const defaultRules: Rules = { falseDiscoveries: 0.01, leastObservations: 20 }

/**
 * How far what is observed is from what is expected, and in what: each feature by the test that fits its form, then
 * Benjamini and Hochberg over all of them. Pure.
 */
export function compare(expected: Profile, observed: Profile, rules: Rules = defaultRules): Comparison {
  const { moved, tooFew } = movesOf(expected, observed, rules)
  const findings = judged(moved, rules.falseDiscoveries)
  const [first] = findings
  return { score: first?.significant ? scoreOfEffect(first.effect) : 0, findings, tooFew }
}

/** 0 to 100, to a tenth. */
export const scoreOfEffect = (effect: number): number => Math.round(1000 * effect) / 10

const independent: Worth = { known: 1, seen: 1 }

/** What each feature shows, before any of it is judged; `worths`: of those whose observations are not independent. Pure. */
export function movesOf(
  expected: Profile,
  observed: Profile,
  rules: Rules = defaultRules,
  worths: Partial<Record<FeatureName, Worth>> = {},
): Pick<Comparison, 'tooFew'> & { moved: Moved[] } {
  const [moved, tooFew]: [Moved[], FeatureName[]] = [[], []]
  for (const [name, seen] of Object.entries(observed) as [FeatureName, Feature][]) {
    const known = expected[name]
    if (!known) continue
    if (Math.min(restsOn(known), restsOn(seen)) < rules.leastObservations) tooFew.push(name)
    else {
      const worth = worths[name] ?? independent
      moved.push({ feature: name, ...test(name, known, seen, rules.relabelBelow ?? 1, worth) })
    }
  }
  return { moved, tooFew }
}

/** All that was looked at together, judged together: Benjamini and Hochberg. Significant ones first, then by effect. Pure. */
export function judged<T extends Moved>(
  moved: readonly T[],
  falseDiscoveries: number,
): (T & Pick<Finding, 'q' | 'significant'>)[] {
  const rates = falseDiscoveryRates(moved.map(({ p }) => p))
  return moved
    .map((one, i) => ({ ...one, q: rates[i] ?? 1, significant: (rates[i] ?? 1) <= falseDiscoveries }))
    .sort((a, b) => Number(b.significant) - Number(a.significant) || b.effect - a.effect)
}

/** Observations behind a feature. A rate rests on the time that was looked, which may well have seen nothing. */
function restsOn(feature: Feature): number {
  switch (feature.form) {
    case 'sample':
      return feature.values.length
    case 'rate':
      return feature.seconds
    case 'share':
      return feature.of
    case 'mix':
      return Object.values(feature.counts).reduce((sum, count) => sum + count, 0)
  }
}

function test(
  name: FeatureName,
  known: Feature,
  seen: Feature,
  relabelBelow: number,
  worth: Worth,
): Omit<Moved, 'feature'> {
  if (known.form === 'sample' && seen.form === 'sample') {
    const { d, p } = kolmogorovSmirnov(known.values, seen.values, worth)
    const [before, now] = [medianOf(known.values) ?? 0, medianOf(seen.values) ?? 0]
    return { effect: d, p, words: `half below ${short(now)} ${seen.unit}, ${short(before)} expected` }
  }
  if (known.form === 'rate' && seen.form === 'rate') {
    const p = twoRates(
      Math.round(known.count / worth.known),
      known.seconds / worth.known,
      Math.round(seen.count / worth.seen),
      seen.seconds / worth.seen,
    )
    const [before, now] = [known.count / known.seconds, seen.count / seen.seconds]
    // A half on either side keeps a ratio of nothing finite.
    const ratio = (seen.count + 0.5) / seen.seconds / ((known.count + 0.5) / known.seconds)
    return {
      effect: 1 - Math.exp(-Math.abs(Math.log(ratio))),
      p,
      words: `${short(now * 3600)} an hour, ${short(before * 3600)} expected`,
    }
  }
  if (known.form === 'share' && seen.form === 'share') {
    const p = twoShares(...fewer(known, worth.known), ...fewer(seen, worth.seen))
    const [before, now] = [known.part / known.of, seen.part / seen.of]
    return { effect: Math.abs(now - before), p, words: `${percent(now)}, ${percent(before)} expected` }
  }
  if (known.form === 'mix' && seen.form === 'mix') return mixes(name, known.counts, seen.counts, relabelBelow, worth)
  throw new TypeError(`${name} is a ${known.form} in the baseline and a ${seen.form} in what was observed`)
}

function mixes(
  name: string,
  known: Record<string, number>,
  seen: Record<string, number>,
  relabelBelow: number,
  worth: Worth,
): Omit<Moved, 'feature'> {
  const kinds = [...new Set([...Object.keys(known), ...Object.keys(seen)])].sort()
  const [before, now] = [kinds.map((kind) => known[kind] ?? 0), kinds.map((kind) => seen[kind] ?? 0)]
  const less = (counts: number[], by: number) => (by === 1 ? counts : counts.map((count) => Math.round(count / by)))
  const p = tailOf(name, less(before, worth.known), less(now, worth.seen), relabelBelow)
  const apart = kinds.map((kind, i) => ({ kind, by: (now[i] ?? 0) / sum(now) - (before[i] ?? 0) / sum(before) }))
  const [most] = apart.sort((a, b) => Math.abs(b.by) - Math.abs(a.by))
  const words = most
    ? `${most.kind} is ${percent(Math.abs(most.by))} ${most.by > 0 ? 'more' : 'less'} of all`
    : 'nothing seen'
  return { effect: jensenShannon(before, now), p, words }
}

/** The same share of as many observations as they are worth. */
const fewer = ({ part, of }: { part: number; of: number }, by: number): [number, number] => [
  Math.min(Math.round(part / by), Math.round(of / by)),
  Math.round(of / by),
]

/** By the G-test where each kind is expected often enough; else by re-labelling, or, of many observations, with rare kinds as one. */
function tailOf(name: string, before: number[], now: number[], relabelBelow: number): number {
  const { p, leastExpected } = gTest([before, now])
  if (leastExpected >= 5) return p
  const few = sum(before) + sum(now) <= manyObservations
  if (few && relabelBelow >= 1) return relabelled(name, before, now)
  const tail = pooledTail(before, now)
  if (!few || tail >= relabelBelow) return tail
  const again = relabelled(name, before, now)
  return again <= 1 / relabellings ? Math.min(again, tail) : again
}

/** Seeded by what is compared: the same question has the same answer. */
const relabelled = (name: string, before: number[], now: number[]): number =>
  permutationTest(before, now, seededRandom(`${name}/${before.join()}/${now.join()}`), relabellings - 1)

function pooledTail(before: number[], now: number[]): number {
  const [sumBefore, sumNow] = [sum(before), sum(now)]
  const least = 10 / Math.min(sumBefore, sumNow)
  const rare = before.map((count, i) => (count + (now[i] ?? 0)) / (sumBefore + sumNow) < least)
  const pooled = (counts: number[]) => [...counts.filter((_, i) => !rare[i]), sum(counts.filter((_, i) => rare[i]))]
  return gTest([pooled(before), pooled(now)]).p
}

const relabellings = 5000
const manyObservations = 2000
const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)
const short = (value: number): string => String(Number(value.toPrecision(3)))
const percent = (share: number): string => `${short(100 * share)} %`
