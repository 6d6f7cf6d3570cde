import type { Random } from '../../shared/random.ts'
import type { Feature, FeatureName, Profile, SampleFeature } from '../../shared/schemas/baseline.ts'

/**
 * Profiles of the same behaviour at different times put together. Counts are added, so `n`, `count`, `of` and the sum of
 * a mix are exact; of samples an even draw is kept. All of it is pure; what is drawn follows from `random`.
 */

const mostCategories = 64
const rest = 'other'

/** Features that only one of them has stay as they are; `most` values are kept of a sample. */
export function mergeProfiles(profiles: readonly Profile[], random: Random, most = 512): Profile {
  const merged: Profile = {}
  for (const profile of profiles)
    for (const [name, feature] of Object.entries(profile) as [FeatureName, Feature][]) {
      const known = merged[name]
      merged[name] = known ? mergeFeatures(known, feature, random, most) : trimmed(feature, random, most)
    }
  return merged
}

/** Two of one feature. Where their forms or units differ (an agent of another release) the first stays. */
export function mergeFeatures(a: Feature, b: Feature, random: Random, most = 512): Feature {
  if (a.form === 'sample' && b.form === 'sample') return a.unit === b.unit ? mergeSamples(a, b, random, most) : a
  if (a.form === 'rate' && b.form === 'rate')
    return { form: 'rate', count: a.count + b.count, seconds: a.seconds + b.seconds }
  if (a.form === 'share' && b.form === 'share') return { form: 'share', part: a.part + b.part, of: a.of + b.of }
  if (a.form === 'mix' && b.form === 'mix') return { form: 'mix', counts: mergeCounts(a.counts, b.counts) }
  return a
}

function trimmed(feature: Feature, random: Random, most: number): Feature {
  if (feature.form !== 'sample' || feature.values.length <= most) return feature
  return { ...feature, values: shuffled(feature.values, random).slice(0, most) }
}

/**
 * An even draw of both populations: each value comes from one of them by how many are left there, as drawing without
 * putting back from all of them would (the draw of a hypergeometric variable, one by one). A draw that has no more values
 * of the population whose turn it is ends there: to go on with the other's would give those too much weight.
 */
function mergeSamples(a: SampleFeature, b: SampleFeature, random: Random, most: number): SampleFeature {
  const head = { form: 'sample', unit: a.unit, n: a.n + b.n } as const
  const whole = a.n === a.values.length && b.n === b.values.length
  if (whole && head.n <= most) return { ...head, values: [...a.values, ...b.values] }
  // What has no values says nothing of what they are.
  if (a.values.length === 0 || b.values.length === 0)
    return { ...head, values: shuffled(a.values.length === 0 ? b.values : a.values, random).slice(0, most) }
  const [first, second] = [shuffled(a.values, random), shuffled(b.values, random)]
  let [leftA, leftB] = [a.n, b.n]
  const values: number[] = []
  while (values.length < most && leftA + leftB > 0) {
    const fromA = random() * (leftA + leftB) < leftA
    const value = (fromA ? first : second).pop()
    if (value === undefined) break
    values.push(value)
    if (fromA) leftA--
    else leftB--
  }
  return { ...head, values }
}

function shuffled(values: readonly number[], random: Random): number[] {
  const all = [...values]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const taken = all[i] as number
    all[i] = all[j] as number
    all[j] = taken
  }
  return all
}

/** The rarest kinds become one where there are too many. */
function mergeCounts(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const counts = new Map(Object.entries(a))
  for (const [kind, count] of Object.entries(b)) counts.set(kind, (counts.get(kind) ?? 0) + count)
  if (counts.size <= mostCategories) return Object.fromEntries(counts)
  const named = [...counts].filter(([kind]) => kind !== rest).sort((x, y) => y[1] - x[1] || x[0].localeCompare(y[0]))
  const kept = named.slice(0, mostCategories - 1)
  const others = named.slice(mostCategories - 1).reduce((sum, [, count]) => sum + count, counts.get(rest) ?? 0)
  return Object.fromEntries([...kept, [rest, others]])
}
