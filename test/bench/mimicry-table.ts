import type { Conversation } from '../../agent/mimicry/conversation.ts'
import { distancesOf } from '../../agent/mimicry/distances.ts'

/** What was made of patterns, and the real sample that it is held against, by its number: the patterns know nothing of it. */
export type Fold = { made: Conversation[]; other: number }
export type FeatureRow = {
  kind: string
  feature: string
  /** Distance of two real samples, and of what was made and a real one: means over all pairs. */
  real: number
  made: number
  /** Conversations of each sample, as cut. */
  n: number
}
export type Measured = { rows: FeatureRow[]; real: number; made: number }

const blocks = 8

/**
 * Distances of what was made from real samples, and of real samples from each other. The distance of two samples is the larger
 * the smaller they are, so all are cut to the same number of conversations of each kind before any is measured.
 */
export function measured(reals: readonly Conversation[][], folds: readonly Fold[]): Measured {
  const kinds = [...new Set(reals.flat().map(({ kind }) => kind))]
  const all = [...reals, ...folds.map(({ made }) => made)]
  const count = (some: readonly Conversation[], kind: string) => some.filter((one) => one.kind === kind).length
  const fewest = new Map(kinds.map((kind) => [kind, Math.min(...all.map((some) => count(some, kind)))]))
  const cut = (some: readonly Conversation[]) =>
    kinds.flatMap((kind) => some.filter((one) => one.kind === kind).slice(0, fewest.get(kind)))
  const between = (a: readonly Conversation[], b: readonly Conversation[]) => {
    const [mix] = distancesOf(a, b)
    const others = distancesOf(cut(a), cut(b)).filter(({ kind }) => kind !== 'all')
    return new Map([...(mix ? [mix] : []), ...others].map((one) => [`${one.kind} ${one.feature}`, one]))
  }
  const pairs = reals.flatMap((a, i) => reals.slice(i + 1).map((b) => between(a, b)))
  const made = folds.map((fold) => between(fold.made, reals[fold.other] ?? []))
  const mean = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0) / some.length
  const rows = [...(pairs[0] ?? [])]
    .filter(([name]) => [...pairs, ...made].every((each) => each.has(name)))
    .map(([name, { kind, feature, n }]) => {
      const of = (each: typeof pairs) => mean(each.map((one) => one.get(name)?.distance ?? Number.NaN))
      return { kind, feature, real: of(pairs), made: of(made), n: fewest.get(kind) ?? n }
    })
  return { rows, real: mean(rows.map(({ real }) => real)), made: mean(rows.map(({ made }) => made)) }
}

/**
 * The ratio and its interval of 95 %: jackknife over eight pieces of time that are left out of every sample in turn (Efron and
 * Stein 1981), of the logarithm.
 */
export function ratioOf(reals: readonly Conversation[][], folds: readonly Fold[]) {
  const log = (of: (some: Conversation[]) => Conversation[]) => {
    const { made, real } = measured(
      reals.map(of),
      folds.map((fold) => ({ ...fold, made: of(fold.made) })),
    )
    return Math.log(made / real)
  }
  const whole = log((some) => some)
  const without = Array.from({ length: blocks }, (_, block) =>
    log((some) => some.filter((_, i) => Math.floor((i * blocks) / some.length) !== block)),
  )
  const middle = without.reduce((sum, one) => sum + one, 0) / blocks
  const error = Math.sqrt(((blocks - 1) / blocks) * without.reduce((sum, one) => sum + (one - middle) ** 2, 0))
  const [low, high] = [-1, 1].map((side) => Math.exp(whole + side * 1.96 * error)) as [number, number]
  return { ratio: Math.exp(whole), low, high }
}
