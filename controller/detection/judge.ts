import type { FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { WindowSubject } from '../../shared/schemas/observation.ts'
import { wasserstein } from '../../shared/statistics/index.ts'
import { type Finding, judged, type Moved, movesOf, plainScore, scoreOfEffect, type Track } from '../drift/index.ts'
import { outsideBand } from './band.ts'
import type { Expectation } from './expectation.ts'
import type { Worths } from './likeness.ts'
import type { Reported } from './reports.ts'
import type { Slow } from './streams.ts'
import { followsRequests, leastShiftMs, type Whose, whoseIs } from './whose.ts'

/** One port of a decoy, what it does by itself, or a mimicry instance: what is expected of it and what was seen. */
export type Subject = {
  /** The decoy. */
  decoy: string
  subject: Extract<WindowSubject, { kind: 'decoy' | 'mimicry' }>
  service: string
  appliance: string
  segment: string
  expectation: Expectation
  observed: Profile
  /** Features whose observations are worth less than they are many. */
  worths?: Worths
  /** When it was slow, for telling causes apart. */
  tracks?: readonly Track[]
  /** Changes of late that the streams found. */
  slow: readonly Slow[]
  /** What an instance of mimicry tells of itself against its plan. */
  reported?: readonly Reported[]
}

export type Told = Finding & {
  service: string
  port?: number
  whose: Whose
  /** Observations behind it; seconds for a rate. */
  n: number
  /** Visitors asked for something else, so that answers moved: no drift. */
  asked?: true
  /** Of times: by less than anybody notices, however sure. */
  slight?: true
  /** Found by a stream, over many windows. */
  slow?: true
}
export type Standing = {
  decoy: string
  kind: 'decoy' | 'mimicry'
  instance?: number
  appliance: string
  segment: string
  score: number
  /** The plain sum, for comparison; infinite sums are told as null. */
  plain: number | null
  /** What moved most, of what counts. */
  top?: Told
  findings: Told[]
  /** Without what visitors moved by asking for something else. */
  tracks: Track[]
  tooFew: FeatureName[]
}

/** Below this, what visitors ask counts as changed; weaker than the level of findings, since here it keeps one from being told. */
const askedOtherwise = 0.001
/** Where a stream found a change, too, so little suffices of the hour itself: less than a round asks of it alone. */
const slowlySure = 0.001

/**
 * Scores of all that is watched, in one round. Pure.
 *
 *   subjects -> p of each feature -> Benjamini and Hochberg over all features of all subjects at `level` -> score of each
 *
 * A score is the largest significant effect of what the watched thing does itself, or of the way to it.
 */
export async function judgeRound(
  subjects: readonly Subject[],
  level: number,
  breathe: () => Promise<void> = async () => undefined,
): Promise<Standing[]> {
  type Open = Moved & { at: number; n: number; planned?: true }
  const open: Open[] = []
  const tooFew: FeatureName[][] = []
  for (const [at, one] of subjects.entries()) {
    const { moved, few } = movesAt(one)
    open.push(...moved.map((move) => ({ ...move, at, n: restsOn(one.observed, move.feature) })))
    open.push(...(one.reported ?? []).map((move) => ({ ...move, at, planned: true as const })))
    tooFew.push(few)
    await breathe()
  }
  const found = Map.groupBy(judged(open, level), ({ at }) => at)
  const told = subjects.map((one, at) => {
    const own = found.get(at) ?? []
    const asked = own.some(({ feature, p }) => feature === 'request.size' && p < askedOtherwise)
    return {
      one,
      findings: own.map((finding) => toldOf(one, withSlow(one, finding), asked)),
      tracks: (one.tracks ?? []).filter(({ feature }) => !(asked && followsRequests.has(feature))),
      few: tooFew[at] ?? [],
    }
  })
  return [...Map.groupBy(told, ({ one }) => keyOf(one)).values()].map((own) => {
    const [{ one }] = own as [(typeof own)[number]]
    const findings = own.flatMap(({ findings }) => findings).sort(bySignificanceAndEffect)
    const top = findings.find(counts)
    const plain = own.reduce((sum, { one }) => sum + plainScore(one.expectation.profile, lookedAt(one)), 0)
    return {
      decoy: one.decoy,
      kind: one.subject.kind,
      ...(one.subject.kind === 'mimicry' && { instance: one.subject.instance }),
      appliance: one.appliance,
      segment: one.segment,
      score: top ? scoreOfEffect(top.effect) : 0,
      plain: Number.isFinite(plain) ? Math.round(plain * 1000) / 1000 : null,
      ...(top && { top }),
      findings,
      tracks: own.flatMap(({ tracks }) => tracks),
      tooFew: [...new Set(own.flatMap(({ few }) => few))],
    }
  })
}

/** Whether a finding makes a score. */
export const counts = ({ significant, whose, asked, slight }: Told): boolean =>
  significant && whose !== 'visitors' && !asked && !slight

const keyOf = ({ decoy, subject }: Subject): string =>
  subject.kind === 'mimicry' ? `${decoy} ${subject.instance}` : decoy

function movesAt({ expectation, observed, worths = {} }: Subject): { moved: Moved[]; few: FeatureName[] } {
  const { profile, untold, band } = expectation
  const looked = without(observed, untold)
  const { moved, tooFew } = movesOf(profile, looked, lookedOnceInAWhile, worths)
  if (!band) return { moved, few: tooFew }
  return {
    moved: moved.map((one) => {
      const { feature } = one
      const [faster, slower, seen] = [band.baseline[feature], profile[feature], looked[feature]]
      if (!band.features.includes(feature)) return one
      if (faster?.form !== 'sample' || slower?.form !== 'sample' || seen?.form !== 'sample') return one
      const { d, p } = outsideBand(faster, slower, seen, worths[feature])
      return { ...one, effect: d, p }
    }),
    few: tooFew,
  }
}

type Judged = Finding & { at: number; n: number; planned?: true; slow?: true }

/** The levels of many looks are far below what re-labelling can tell, and it is slow. */
const lookedOnceInAWhile = { falseDiscoveries: 0.01, leastObservations: 20, relabelBelow: 1e-4 }

function toldOf(one: Subject, { at: _, planned, ...finding }: Judged, asked: boolean): Told {
  const { subject, service } = one
  const byVisitors = asked && followsRequests.has(finding.feature) && whoseIs(subject, 'request.size') === 'visitors'
  return {
    ...finding,
    service,
    ...(subject.kind === 'decoy' && subject.port !== undefined && { port: subject.port }),
    // Against its plan, what an instance does is nobody else's doing.
    whose: planned ? 'own' : whoseIs(subject, finding.feature),
    ...(byVisitors && { asked: true as const }),
    ...(finding.significant && finding.n > 0 && isSlight(one, finding.feature) && { slight: true as const }),
  }
}

function isSlight({ expectation, observed }: Subject, name: FeatureName): boolean {
  const [known, seen] = [expectation.profile[name], observed[name]]
  if (known?.form !== 'sample' || seen?.form !== 'sample' || seen.unit !== 'ms') return false
  return wasserstein(known.values, seen.values) < leastShiftMs
}

/**
 * A stream takes windows for independent, and knows neither sessions nor who asks for what. So what it found is told only where
 * the hour shows it with all that its observations are worth, and as the hour shows it; there, less is enough. They are worth
 * what they were before the change began: a slow change itself makes windows alike.
 */
function withSlow(one: Subject, finding: Judged): Judged {
  const { feature, significant, planned } = finding
  const change = one.slow.find((other) => other.feature === feature)
  if (!change || planned || significant) return finding
  const seen = one.observed[feature]
  const [again] = movesAt({ ...one, observed: { [feature]: seen }, worths: { [feature]: change.worth } }).moved
  if (!again || again.p > slowlySure) return finding
  return {
    ...finding,
    p: again.p,
    q: again.p,
    significant: true,
    slow: true,
    words: `${finding.words}; ${change.words}`,
  }
}

const bySignificanceAndEffect = (a: Told, b: Told) =>
  Number(b.significant) - Number(a.significant) || Number(counts(b)) - Number(counts(a)) || b.effect - a.effect

const lookedAt = ({ observed, expectation }: Subject): Profile => without(observed, expectation.untold)

const without = (profile: Profile, names: ReadonlySet<FeatureName>): Profile =>
  Object.fromEntries(Object.entries(profile).filter(([name]) => !names.has(name as FeatureName)))

function restsOn(profile: Profile, name: FeatureName): number {
  const feature = profile[name]
  if (!feature) return 0
  if (feature.form === 'sample') return feature.n
  if (feature.form === 'rate') return Math.round(feature.seconds)
  return feature.form === 'share' ? feature.of : Object.values(feature.counts).reduce((all, count) => all + count, 0)
}
