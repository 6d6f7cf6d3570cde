import { type Random, seededRandom } from '../../shared/random.ts'
import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import { type Drift, type DriftEffect, mostDelayMs } from '../../shared/schemas/drift.ts'
import { normal } from '../../shared/statistics/draws.ts'

/** Milliseconds that an effect adds to one answer, with `others` sessions open besides. */
export function waitOf(effect: DriftEffect, random: Random, others = 0): number {
  if (effect.type !== 'latency') return 0
  const { form, ms, spread } = effect
  if (form === 'fixed') return ms
  if (form === 'load') return ms * others
  return ms * Math.exp(spread * normal(random))
}

/**
 * The baseline as it will be seen once the drift is in force: what detection compares with, so that what was done on
 * purpose is no finding. `others`: sessions that are open besides; `waiting`: the features of answers that wait. How much
 * the features rest on stays as it was. Pure.
 */
export function expectedProfile(
  baseline: Profile,
  { seed, effects }: Drift,
  others = 0,
  waiting: readonly FeatureName[] = ['response.delay'],
): Profile {
  const random = seededRandom(`${seed}/expected`)
  const failing = Math.min(1, sumOf(effects, 'error'))
  const altered = Math.min(1, sumOf(effects, 'alteration'))
  const quiet = new Set(effects.flatMap((effect) => (effect.type === 'schedule' ? effect.hours : []))).size / 24
  const change: Partial<Record<keyof Profile, (feature: Feature) => Feature>> = {
    ...Object.fromEntries(waiting.map((name) => [name, (one: Feature) => delayed(one, effects, random, others)])),
    'error.share': (feature) => withMore(feature, failing),
    'altered.share': (feature) => withMore(feature, altered),
    'session.rate': (feature) => thinned(feature, quiet),
    'request.rate': (feature) => thinned(feature, quiet),
  }
  return Object.fromEntries(
    Object.entries(baseline).map(([name, feature]) => [name, change[name as keyof Profile]?.(feature) ?? feature]),
  )
}

function delayed(feature: Feature, effects: readonly DriftEffect[], random: Random, others: number): Feature {
  if (feature.form !== 'sample') return feature
  const wait = () =>
    Math.min(
      mostDelayMs,
      effects.reduce((sum, effect) => sum + waitOf(effect, random, others), 0),
    )
  return { ...feature, values: feature.values.map((value) => value + wait()) }
}

/** What failed before still fails; of the rest, `share` does. */
const withMore = (feature: Feature, share: number): Feature =>
  feature.form === 'share'
    ? { ...feature, part: Math.min(feature.of, Math.round(feature.part + (feature.of - feature.part) * share)) }
    : feature

const thinned = (feature: Feature, quiet: number): Feature =>
  feature.form === 'rate' ? { ...feature, count: Math.round(feature.count * (1 - quiet)) } : feature

const sumOf = (effects: readonly DriftEffect[], type: 'error' | 'alteration'): number =>
  effects.reduce((sum, effect) => sum + (effect.type === type ? effect.share : 0), 0)
