import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import {
  type Block,
  bunchEffect,
  correlationsOf,
  dispersionBound,
  greatestEffect,
  type Worth,
} from '../../shared/statistics/index.ts'

/**
 * How alike observations of one time are: answers of one client's session, sessions of one hour. Known by how the windows of
 * the past differ from each other. What a comparison rests on is less than its observations are many.
 */
type Likeness = {
  /** Design effect of what is known. */
  known: number
  /** Of blocks of all lengths; several where it was asked in more than one way. */
  correlations: number[][]
  /** Nothing ever varied: it always was this value, kind or part. */
  always?: number | string
}
export type Likenesses = Partial<Record<FeatureName, Likeness>>
export type Worths = Partial<Record<FeatureName, Worth>>
export type Window = { profile: Profile; seconds: number }
type Of<F extends Feature['form']> = Extract<Feature, { form: F }>

/** By windows of the past, oldest first, none of them among those that are to be judged. Pure. */
export function likenessesOf(past: readonly Window[], known: Profile): Likenesses {
  const found: Likenesses = {}
  for (const [name, feature] of Object.entries(known) as [FeatureName, Feature][])
    found[name] = likenessOf(name, feature)
  return found

  function likenessOf(name: FeatureName, feature: Feature): Likeness {
    switch (feature.form) {
      case 'sample':
        return ofSample(ofForm(past, name, 'sample'), feature)
      case 'share':
        return ofShare(ofForm(past, name, 'share'))
      case 'mix':
        return ofMix(ofForm(past, name, 'mix'))
      case 'rate':
        return { known: dispersionBound(ratesOf(past, name)), correlations: [] }
    }
  }
}

/** What is known and what `now` shows (`seen` put together) are worth. Pure. */
export function worthsOf(likenesses: Likenesses, now: readonly Window[], seen: Profile): Worths {
  const worths: Worths = {}
  for (const [name, feature] of Object.entries(seen) as [FeatureName, Feature][]) {
    const likeness = likenesses[name]
    if (likeness) worths[name] = { known: likeness.known, seen: effectOf(likeness, name, feature, now) }
  }
  return worths
}

function effectOf(likeness: Likeness, name: FeatureName, feature: Feature, now: readonly Window[]): number {
  if (feature.form === 'rate') return likeness.known
  const of = ofForm(now, name, feature.form)
  if (likeness.always !== undefined) return bunchEffect(of.map((one) => otherThan(likeness.always, one)))
  const left = feature.form === 'sample' ? feature.values.length / Math.max(1, feature.n) : 1
  const sizes = of.map((one) => left * sizeOf(one))
  return Math.max(...likeness.correlations.map((correlations) => greatestEffect(sizes, correlations)))
}

const ofForm = <F extends Feature['form']>(windows: readonly Window[], name: FeatureName, form: F): Of<F>[] =>
  windows.flatMap(({ profile }) => (profile[name]?.form === form ? [profile[name] as Of<F>] : []))

function sizeOf(feature: Feature): number {
  if (feature.form === 'sample') return feature.n
  if (feature.form === 'share') return feature.of
  return feature.form === 'mix' ? Object.values(feature.counts).reduce((sum, count) => sum + count, 0) : 0
}

function otherThan(always: number | string | undefined, feature: Feature): number {
  if (feature.form === 'sample') return feature.values.filter((value) => value !== always).length
  if (feature.form === 'share') return always === 1 ? feature.of - feature.part : feature.part
  return feature.form === 'mix' ? sizeOf(feature) - (feature.counts[String(always)] ?? 0) : 0
}

/** By ranks, as the comparison itself is: where they lie, and how far from the middle. */
function ofSample(past: readonly Of<'sample'>[], known: Of<'sample'>): Likeness {
  const sorted = Float64Array.from(past.flatMap(({ values }) => values)).sort()
  const ranks = past.map(({ values }) =>
    values.map((value) => (below(sorted, value) + below(sorted, value, true)) / (2 * sorted.length) - 0.5),
  )
  const correlations = [(rank: number) => rank, Math.abs].flatMap((of) => {
    const some = correlationsOf(ranks.map((own) => blockOf(own.map(of))))
    return some ? [some] : []
  })
  if (correlations.length === 0) return { known: 1, correlations, always: sorted[0] ?? Number.NaN }
  const sizes = past.map(({ n }) => (n * known.values.length) / Math.max(1, known.n))
  return { known: Math.max(...correlations.map((some) => greatestEffect(sizes, some))), correlations }
}

const blockOf = (values: readonly number[]): Block => ({
  n: values.length,
  sums: [values.reduce((sum, value) => sum + value, 0)],
  squares: values.reduce((sum, value) => sum + value ** 2, 0),
})

/** How many are below, or with `equal` not above. */
function below(sorted: Float64Array, value: number, equal = false): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const one = sorted[middle] as number
    if (one < value || (equal && one === value)) low = middle + 1
    else high = middle
  }
  return low
}

function ofShare(past: readonly Of<'share'>[]): Likeness {
  const correlations = correlationsOf(past.map(({ part, of }) => ({ n: of, sums: [part], squares: part })))
  if (!correlations) return { known: 1, correlations: [], always: past.some(({ part }) => part > 0) ? 1 : 0 }
  return { known: greatestEffect(past.map(sizeOf), correlations), correlations: [correlations] }
}

/** Each kind as a share, all together: the first-order correction of Rao and Scott 1981, The Annals of Statistics 9, 221-230. */
function ofMix(past: readonly Of<'mix'>[]): Likeness {
  const kinds = [...new Set(past.flatMap(({ counts }) => Object.keys(counts)))]
  const blocks = past.map((one): Block => {
    const n = sizeOf(one)
    return { n, sums: kinds.map((kind) => one.counts[kind] ?? 0), squares: n }
  })
  const correlations = correlationsOf(blocks)
  if (!correlations) return { known: 1, correlations: [], always: kinds[0] ?? '' }
  return { known: greatestEffect(past.map(sizeOf), correlations), correlations: [correlations] }
}

/** A window without the rate looked, and saw nothing of it. */
const ratesOf = (past: readonly Window[], name: FeatureName) =>
  past.map(({ profile, seconds }) => {
    const one = profile[name]
    return { count: one?.form === 'rate' ? one.count : 0, seconds }
  })
