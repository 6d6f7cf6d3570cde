import type { Clock } from '../../shared/clock.ts'
import { evidenceTime, type FoundBehaviour } from '../attackers/index.ts'
import type { ControllerConfig } from '../config.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent } from '../work/port.ts'
import { type EvidenceRule, shippedEvidence } from './evidence.ts'
import { coveredBy, isWhollyExempt, type RiskException, readExceptions } from './exceptions.ts'
import { type EvidenceRow, loadEvidence, saveEvidence } from './queries.ts'
import { nothing, scoreOf, withHappening } from './score.ts'
import { crossingsOf, type Level, type ThresholdName } from './thresholds.ts'

export type RiskDeps = { clock: Clock; config: Pick<ControllerConfig, 'risk'>; rules?: readonly EvidenceRule[] }

export type RiskJudge = (sql: Sql, behaviours: readonly FoundBehaviour[]) => Promise<BusEvent[]>

/**
 * Weighs behaviours, within the caller's transaction, who emits the events after its commit.
 *
 *   behaviours, by source -> evidence (decaying sums) -> score before and after -> crossings, once a rise
 */
export function makeRiskJudge(deps: RiskDeps): RiskJudge {
  const { clock, config } = deps
  const rules = deps.rules ?? shippedEvidence(config.risk.halfLifeHours)
  const rulesOf = Map.groupBy(rules, ({ behaviour }) => behaviour)
  const repeatMs = (config.risk.blockMinutes * 60_000) / 2

  async function judge(
    sql: Sql,
    source: string,
    behaviours: readonly FoundBehaviour[],
    exceptions: readonly RiskException[],
  ): Promise<BusEvent[]> {
    const nowMs = clock.now()
    const rows = new Map((await loadEvidence(sql, source)).map((row) => [`${row.evidence} ${row.exempt}`, row]))
    const scored = () => [...rows.values()].filter(({ exempt }) => exempt === 0)
    const before = scoreOf(scored(), rules, nowMs).score
    const changed = new Set<EvidenceRow>()
    let newest: FoundBehaviour | undefined
    for (const behaviour of behaviours) {
      const atMs = evidenceTime(behaviour.at, behaviour.received_at)
      const covered = coveredBy(exceptions, { source, decoy: behaviour.decoy, port: behaviour.port ?? undefined, atMs })
      const exempt = covered ? 1 : 0
      if (!covered && (!newest || behaviour.at >= newest.at)) newest = behaviour
      for (const rule of rulesOf.get(behaviour.kind as EvidenceRule['behaviour']) ?? []) {
        const key = `${rule.id} ${exempt}`
        const row = rows.get(key) ?? {
          ...nothing,
          evidence: rule.id,
          exempt,
          count: 0,
          newest_at: behaviour.at,
          detail: null,
        }
        const newer = behaviour.at >= row.newest_at
        Object.assign(row, withHappening(row, atMs, rule.halfLifeMs), {
          count: row.count + 1,
          newest_at: newer ? behaviour.at : row.newest_at,
          detail: newer ? (behaviour.detail ?? row.detail) : row.detail,
        })
        rows.set(key, row)
        changed.add(row)
      }
    }
    for (const row of changed) await saveEvidence(sql, source, row)
    const exempt = isWhollyExempt(exceptions, source, nowMs)
    const after = exempt ? { score: 0, reasons: [] } : scoreOf(scored(), rules, nowMs)
    const at = new Date(nowMs).toISOString()
    await sql.run(
      `INSERT INTO risk_scores (source, score, computed_at) VALUES (?, ?, ?)
       ON CONFLICT (source) DO UPDATE SET score = excluded.score, computed_at = excluded.computed_at`,
      source,
      after.score,
      at,
    )
    if (!newest || exempt) return []
    const result = crossingsOf(
      await loadLevels(sql, source),
      { before, after: after.score },
      {
        thresholds: config.risk.thresholds,
        nowMs,
        repeatMs,
      },
    )
    await saveLevels(sql, source, result.levels)
    for (const { threshold, again } of result.crossings)
      await sql.run(
        `INSERT INTO risk_crossings (source, threshold, again, score, reasons, event_at, received_at, at, agent, decoy, segment)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        source,
        threshold,
        again ? 1 : 0,
        after.score,
        JSON.stringify(after.reasons),
        newest.at,
        newest.received_at,
        at,
        newest.agent,
        newest.decoy,
        newest.segment,
      )
    return result.crossings.length > 0 ? [{ name: 'risk-crossed', source }] : []
  }

  return async (sql, behaviours) => {
    if (behaviours.length === 0) return []
    const exceptions = await readExceptions(sql, new Date(clock.now() - 30 * 86_400_000).toISOString())
    const events: BusEvent[] = []
    for (const [source, own] of Map.groupBy(behaviours, (one) => one.source))
      events.push(...(await judge(sql, source, own, exceptions)))
    return events
  }
}

async function loadLevels(sql: Sql, source: string): Promise<Level[]> {
  const rows = await sql.all<{ threshold: ThresholdName; above: number; told_at: string }>(
    'SELECT threshold, above, told_at FROM risk_levels WHERE source = ?',
    source,
  )
  return rows.map(({ threshold, above, told_at }) => ({ threshold, above: above === 1, toldMs: Date.parse(told_at) }))
}

async function saveLevels(sql: Sql, source: string, levels: readonly Level[]): Promise<void> {
  for (const { threshold, above, toldMs } of levels)
    await sql.run(
      `INSERT INTO risk_levels (source, threshold, above, told_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (source, threshold) DO UPDATE SET above = excluded.above, told_at = excluded.told_at`,
      source,
      threshold,
      above ? 1 : 0,
      new Date(toldMs).toISOString(),
    )
}
