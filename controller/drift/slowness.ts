import type { FeatureName } from '../../shared/schemas/baseline.ts'
import { binomialLower, binomialUpper } from '../../shared/statistics/index.ts'

/** Milliseconds since 1970. */
export type Span = { from: number; to: number }
/** What a window saw of a feature: of `n` observations, by what they are worth, so many `slow` ones. */
export type Moment = Span & { n: number; slow: number }
/**
 * A feature of one decoy through the time that is looked at. Slow is what takes longer than nine of ten did, a segment that came
 * again, a connection that was refused. `usual`: the part of all that is slow where nothing is wrong.
 */
export type Track = { feature: FeatureName; usual: number; moments: readonly Moment[] }
/** The time in which a feature was slow, what each moment of it weighs, and how far it went: 0 as usual, 1 all is slow. */
export type Trouble = {
  feature: FeatureName
  spans: (Span & { weight: number })[]
  /** From here on it went at least half as far. */
  since: number
  share: number
  lift: number
}

/** Moments that hold so much of what was slow beyond the usual are the time of the trouble. */
const most = 0.8
/** So unlikely it must be that who moved alike did by chance, and that who did not stayed by chance. */
const sure = 0.01
/** Who goes half as far goes along. What one decoy does to the others of its machine is far less than what is done to it. */
const half = 0.5

/** When it was slower than usual; undefined where it was not. Pure. */
export function troubleOf({ feature, usual, moments }: Track): Trouble | undefined {
  const excess = ({ n, slow }: Moment) => slow - usual * n
  const slower = moments.filter((one) => excess(one) > 0).sort((a, b) => excess(b) - excess(a))
  const all = slower.reduce((sum, one) => sum + excess(one), 0)
  const own: Moment[] = []
  let held = 0
  for (const one of slower) {
    if (held >= most * all) break
    own.push(one)
    held += excess(one)
  }
  const { n, slow } = sumOf(own)
  if (n === 0 || binomialUpper(slow, n, usual) >= sure) return undefined
  const spans = own.map((one) => ({ from: one.from, to: one.to, weight: excess(one) }))
  const lift = liftOf(slow / n, usual)
  const began = moments.filter((one) => one.n > 0 && liftOf(one.slow / one.n, usual) >= half * lift)
  return { feature, spans, since: Math.min(...began.map(({ from }) => from)), share: slow / n, lift }
}

/**
 * Whether another decoy was slow in the time of a trouble, too: `alike`, or it `stays` as it was in the same feature; undefined
 * where nobody came to it in that time, or too few to say. What happened at other times says nothing. Pure.
 */
export function besides(trouble: Trouble, tracks: readonly Track[]): 'alike' | 'stays' | undefined {
  let stays = false
  for (const { feature, usual, moments } of tracks) {
    const { n, slow } = sumOf(moments.filter((one) => trouble.spans.some((span) => isWithin(one, span))))
    if (n === 0) continue
    if (liftOf(slow / n, usual) >= half * trouble.lift) {
      if (binomialUpper(slow, n, usual) < sure) return 'alike'
    } else if (feature === trouble.feature && binomialLower(slow, n, trouble.share) < sure) stays = true
  }
  return stays ? 'stays' : undefined
}

const liftOf = (share: number, usual: number): number => (share - usual) / (1 - usual)

const sumOf = (moments: readonly Moment[]) =>
  moments.reduce((sum, { n, slow }) => ({ n: sum.n + n, slow: sum.slow + slow }), { n: 0, slow: 0 })

/** Windows of two appliances end at different moments: half of the shorter one in the other is the same time. */
const isWithin = (a: Span, b: Span): boolean =>
  Math.min(a.to, b.to) - Math.max(a.from, b.from) >= half * Math.min(a.to - a.from, b.to - b.from)
