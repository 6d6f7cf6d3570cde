import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'

export type DecisionKind = 'block' | 'deploy' | 'reconfigure'
export type DecisionStatus = 'active' | 'proposed' | 'expired' | 'undone' | 'refused'
export type Decision = {
  id: string
  kind: DecisionKind
  /** A CIDR for `block`, a segment for `deploy`, a decoy for `reconfigure`. */
  target: string
  source: string | null
  reason: string
  /** Reasons, JSON. */
  evidence: string
  score: number | null
  made_at: string
  expires_at: string | null
  status: DecisionStatus
  made_by: 'risk' | 'admin'
  event_at: string | null
  ended_at: string | null
  ended_why: string | null
  /** What became of a deploy or reconfigure, or why it was refused. */
  outcome: string | null
}
export type Enforcement = {
  agent: string
  name: string | null
  revision: number
  decided_at: string
  enforced_at: string
  confirmed_at: string
  lifted_at: string | null
}
export type Unenforced = { agent: string; name: string | null; why: 'refused' | 'expired'; told_at: string }

const columns = [
  'id',
  'kind',
  'target',
  'source',
  'reason',
  'evidence',
  'score',
  'made_at',
  'expires_at',
  'status',
  'made_by',
  'event_at',
  'ended_at',
  'ended_why',
  'outcome',
] as const

export const insertDecision = (sql: Sql, decision: Decision) =>
  sql.run(
    `INSERT INTO decisions (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ...columns.map((column) => decision[column]),
  )

export const listDecisions = (
  sql: Sql,
  filter: { kind?: DecisionKind | undefined; status?: DecisionStatus | undefined; limit: number },
): Promise<Decision[]> =>
  sql.all<Decision>(
    `SELECT * FROM decisions WHERE (? IS NULL OR kind = ?) AND (? IS NULL OR status = ?) ORDER BY made_at DESC, id DESC LIMIT ?`,
    filter.kind ?? null,
    filter.kind ?? null,
    filter.status ?? null,
    filter.status ?? null,
    filter.limit,
  )

/** Blocks in force at `now`. */
export const activeBlocks = (sql: Sql, now: string): Promise<Decision[]> =>
  sql.all<Decision>(
    `SELECT * FROM decisions WHERE kind = 'block' AND status = 'active' AND expires_at > ? ORDER BY id`,
    now,
  )

/** A decision by a prefix of its id, or a block by its address. Throws NOT_FOUND, AMBIGUOUS. */
export async function findDecision(sql: Sql, key: string): Promise<Decision> {
  const cidr = key.includes('/') ? key : `${key}/32`
  const byTarget = await sql.all<Decision>(
    `SELECT * FROM decisions WHERE kind = 'block' AND target = ?
     ORDER BY CASE status WHEN 'active' THEN 0 WHEN 'proposed' THEN 1 ELSE 2 END, made_at DESC LIMIT 1`,
    cidr,
  )
  const found =
    byTarget.length > 0
      ? byTarget
      : await sql.all<Decision>('SELECT * FROM decisions WHERE id LIKE ? LIMIT 5', `${key}%`)
  const [one, ...more] = found
  if (!one) throw new MarshlightError('NOT_FOUND', { kind: 'decision', value: key, command: 'marshlight blocks ls' })
  if (more.length > 0)
    throw new MarshlightError('AMBIGUOUS', {
      kind: 'decision',
      value: key,
      matches: found.map(({ id }) => id).join(', '),
    })
  return one
}

/** Ends a decision, once. */
export const endDecision = (sql: Sql, id: string, how: { status: 'expired' | 'undone'; at: string; why: string }) =>
  sql.run(
    `UPDATE decisions SET status = ?, ended_at = ?, ended_why = ? WHERE id = ? AND status IN ('active', 'proposed')`,
    how.status,
    how.at,
    how.why,
    id,
  )

export const enforcementOf = (sql: Sql, decision: string): Promise<Enforcement[]> =>
  sql.all<Enforcement>(
    `SELECT e.agent, a.name, e.revision, e.decided_at, e.enforced_at, e.confirmed_at, e.lifted_at
     FROM decision_enforcement e LEFT JOIN agents a ON a.id = e.agent WHERE e.decision = ? ORDER BY e.enforced_at`,
    decision,
  )

/** Agents that have the block in their list and say that it is not in force. */
export const unenforcedOf = (sql: Sql, decision: string): Promise<Unenforced[]> =>
  sql.all<Unenforced>(
    `SELECT u.agent, a.name, u.why, u.told_at FROM decision_unenforced u LEFT JOIN agents a ON a.id = u.agent
     WHERE u.decision = ? ORDER BY u.told_at`,
    decision,
  )
