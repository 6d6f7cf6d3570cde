import { isoNow } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'
import { type Cause, causesOf, type LoadIn } from '../drift/index.ts'
import type { RiskJudge } from '../risk/index.ts'
import type { BusEvent } from '../work/port.ts'
import { raiseAlarms } from './alarms.ts'
import { counts, judgeRound, type Standing } from './judge.ts'
import { loadsSince } from './loads.ts'
import { lookAt } from './look.ts'
import { makePast } from './past.ts'
import { type Caused, keepScores, pruneScores } from './scores.ts'

/** Of all looks of a day together, so often one tells of a drift that is none. */
export const falseAlarmsADay = 0.01

type DetectorDeps = Pick<Deps, 'store' | 'clock' | 'bus' | 'config' | 'log'> & { judgeRisk: RiskJudge }

/**
 * Looks, round by round, for behaviour that nobody asked for.
 *
 *   windows of the last hour --+
 *   baseline x drift in force --+--> judgeRound --> scores --causesOf, loads--> alerts, risk
 *   changes of the streams -----+
 *
 * Looking often is comparing often: the rounds of a day share one level (Bonferroni), and within a round Benjamini and
 * Hochberg hold it over all features of all decoys. So without any drift a day has a false alarm at most with that probability.
 */
export function makeDetector(deps: DetectorDeps): Part & { look(): Promise<Caused[]> } {
  const { store, bus, clock, config, log } = deps
  const { everySeconds, lookbackMinutes, alertScore, scoresDays, detect } = config.drift
  const level = levelOf(everySeconds)
  const past = makePast()
  let prunedAt = Number.NEGATIVE_INFINITY

  async function look(): Promise<Caused[]> {
    const since = new Date(clock.now() - lookbackMinutes * 60_000).toISOString()
    const subjects = await lookAt(deps, past, since)
    const standings = await judgeRound(subjects, level, () => new Promise((resolve) => setImmediate(resolve)))
    const caused = withCauses(standings, await loadsSince(store, since))
    const events = await store.tx(async (sql): Promise<BusEvent[]> => {
      await keepScores(sql, caused, isoNow(clock))
      return raiseAlarms(sql, deps, { standings: caused, since, alertScore })
    })
    for (const event of events) bus.emit(event)
    for (const { decoy, score, top, cause } of caused)
      if (score >= alertScore) log.info({ decoy, score, feature: top?.feature, cause }, 'a decoy drifts')
    await prune()
    return caused
  }

  async function prune(): Promise<void> {
    if (clock.now() - prunedAt < 3_600_000) return
    prunedAt = clock.now()
    past.forgetBefore(prunedAt)
    await store.tx((sql) => pruneScores(sql, new Date(clock.now() - scoresDays * 86_400_000).toISOString()))
  }

  const rounds = makeRounds({
    name: 'drift detection',
    clock,
    log,
    failure: 'drift could not be looked for; it tries again',
    afterFailureMs: everySeconds * 1000,
    async round() {
      if (detect) await look()
      return everySeconds * 1000
    },
  })
  return { ...rounds, look }
}

/** The level of one round. */
export const levelOf = (everySeconds: number): number => (falseAlarmsADay * Math.min(86_400, everySeconds)) / 86_400

/** Pure. */
export function withCauses(standings: readonly Standing[], loadIn: LoadIn): Caused[] {
  const idOf = ({ decoy, instance }: Standing) => (instance === undefined ? decoy : `${decoy} ${instance}`)
  const causes = causesOf(
    standings
      .filter(({ findings }) => findings.length > 0)
      .map((one) => ({
        id: idOf(one),
        decoy: one.decoy,
        kind: one.kind,
        appliance: one.appliance,
        segment: one.segment,
        findings: one.findings
          .filter(({ whose }) => whose !== 'visitors')
          .map((finding) => ({ ...finding, significant: counts(finding) })),
        tracks: one.tracks,
      })),
    loadIn,
  )
  const byId = new Map<string, Cause>(causes.flatMap((cause) => cause.instances.map((id) => [id, cause] as const)))
  return standings.map((one) => {
    const cause = byId.get(idOf(one))
    return cause
      ? { ...one, cause: cause.kind, because: cause.because, ...(cause.since !== undefined && { since: cause.since }) }
      : one
  })
}
