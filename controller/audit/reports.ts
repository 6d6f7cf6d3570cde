import { auditScore, comparedWeight } from '../../shared/audit-score.ts'
import { isoNow } from '../../shared/clock.ts'
import type { AuditFinding, AuditReport } from '../../shared/schemas/audit.ts'
import { type RaiseDeps, raise, settle } from '../alerts/index.ts'
import type { ControllerConfig } from '../config.ts'
import { type Decoy, type DecoyActions, readDecoy } from '../decoys/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import { type Judged, judge } from './judge.ts'
import { changeRun, type Run, readRun } from './runs.ts'

type Deps = RaiseDeps & { config: ControllerConfig; actions: Pick<DecoyActions, 'rollBack' | 'giveUp'> }

/** Reports of audits that were ordered -> scores, and what follows from one that is too low. */
export function makeAuditProjector(deps: Deps): Projector<'state'> {
  return {
    name: 'audit.reports',
    streams: ['state'],
    async project(sql, records) {
      const events: BusEvent[] = []
      for (const { record, agent } of records)
        if (record.type === 'audit') events.push(...(await take(sql, deps, agent, record)))
      return events
    },
  }
}

async function take(sql: Sql, deps: Deps, agent: string, report: AuditReport): Promise<BusEvent[]> {
  const run = await readRun(sql, report.id)
  // Only what was asked for, from whom it was asked of, once.
  if (!run || run.agent !== agent || run.decoy !== report.decoy || run.status === 'done') return []
  const [score, weight] = [auditScore(report.findings), comparedWeight(report.findings)]
  const fresh = !(await passedBefore(sql, run, report.personaVersion))
  await sql.run(
    `UPDATE audit_runs SET status = 'done', ended_at = ?, score = ?, weight = ?, persona_version = ?, beside = ?, findings = ?, took_ms = ?
     WHERE id = ?`,
    isoNow(deps.clock),
    score,
    weight,
    report.personaVersion,
    JSON.stringify(report.beside),
    JSON.stringify(report.findings),
    report.tookMs,
    run.id,
  )
  const decoy = await readDecoy(sql, run.decoy)
  const { limit } = deps.config.decoys.audit
  const unsafe = report.findings.some(isUnsafe)
  // Of a decoy that is gone nothing follows; of a version that is no more only what holds for every version.
  if (!decoy || decoy.status === 'retired') return []
  if (decoy.personaVersion !== report.personaVersion && !unsafe) return []
  const judged = judge({ score, weight, fresh, good: await goodVersion(sql, decoy, limit), unsafe }, limit)
  return follow(sql, deps, { run, decoy, judged, score, report })
}

/** Whether this version was audited to the end before. */
async function passedBefore(sql: Sql, run: Run, version: number): Promise<boolean> {
  const row = await sql.get<{ n: number }>(
    `SELECT COUNT(*) AS n FROM audit_runs WHERE decoy = ? AND kind = 'audit' AND status = 'done' AND persona_version = ?`,
    run.decoy,
    version,
  )
  return (row?.n ?? 0) > 0
}

/** The newest earlier version that passed when it was last audited. */
async function goodVersion(sql: Sql, decoy: Decoy, limit: number): Promise<number | undefined> {
  const row = await sql.get<{ version: number }>(
    `SELECT persona_version AS version FROM audit_runs WHERE id IN (SELECT MAX(id) FROM audit_runs
       WHERE decoy = ? AND kind = 'audit' AND status = 'done' AND persona_version < ? GROUP BY persona_version)
     AND score >= ? ORDER BY persona_version DESC LIMIT 1`,
    decoy.id,
    decoy.personaVersion,
    limit,
  )
  return row?.version
}

const isUnsafe = ({ area, verdict }: AuditFinding) => area === 'safety' && verdict === 'differs'

type Case = { run: Run; decoy: Decoy; judged: Judged; score: number; report: AuditReport }
const outcomes = { keep: 'kept', 'roll-back': 'rolled-back', refuse: 'refused', tell: 'told' } as const
const consequences = {
  'roll-back': 'the version of its persona before came back',
  refuse: 'it was taken away',
  tell: 'it stays: it was good enough before; retire or reconfigure it',
} as const

async function follow(sql: Sql, deps: Deps, { run, decoy, judged, score, report }: Case): Promise<BusEvent[]> {
  await changeRun(sql, run.id, { outcome: outcomes[judged.do] })
  if (judged.do === 'keep') {
    const id = await settle(sql, deps.clock, { kind: 'audit', subject: decoy.id, why: `audited again: ${score}` })
    return id === undefined ? [] : [{ name: 'alert', id }]
  }
  const { limit } = deps.config.decoys.audit
  const worst = report.findings
    .filter(({ verdict }) => verdict === 'differs')
    .sort((a, b) => Number(isUnsafe(b)) - Number(isUnsafe(a)) || b.weight - a.weight)
    .slice(0, 5)
    .map(({ probe, words }) => `${probe}: ${words}`)
  const unsafe = report.findings.some(isUnsafe)
  const because = unsafe
    ? `its audit saw that it is unsafe: ${worst[0]}`
    : `its audit gave ${score}, the limit is ${limit}: ${worst[0] ?? 'nothing was as expected'}`
  if (judged.do === 'roll-back') await deps.actions.rollBack(sql, decoy.id, judged.to, because)
  if (judged.do === 'refuse') await deps.actions.giveUp(sql, decoy.id, because)
  const alert = await raise(sql, deps, {
    kind: 'audit',
    subject: decoy.id,
    severity: unsafe ? 'critical' : 'warning',
    title: unsafe
      ? `decoy ${decoy.hostname} (${decoy.ip}) was taken away as unsafe: its audit saw what no decoy may do`
      : `decoy ${decoy.hostname} (${decoy.ip}) can be told from its neighbours: audit ${score} of 100`,
    reasons: [consequences[judged.do], ...worst],
    // What was undone is over; what stays stands until an audit passes.
    lasting: judged.do === 'tell',
  })
  const events: BusEvent[] = []
  if (judged.do !== 'tell') events.push({ name: 'plan-changed', agents: [decoy.agent] })
  if (judged.do === 'refuse') events.push({ name: 'segment-changed', segment: decoy.segment })
  if (alert) events.push({ name: 'alert', id: alert.id })
  return events
}
