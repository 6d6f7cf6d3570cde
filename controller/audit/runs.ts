import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { AuditFinding } from '../../shared/schemas/audit.ts'
import type { Sql, SqlValue } from '../store/port.ts'

export type RunKind = 'audit' | 'touch'
export type RunReason = 'deploy' | 'schedule' | 'admin'
export type Run = {
  id: string
  kind: RunKind
  decoy: string
  agent: string
  segment: string
  reason: RunReason
  status: 'queued' | 'running' | 'done' | 'failed'
  tries: number
  createdAt: string
  personaVersion?: number
  ip?: string
  untilAt?: string
  username?: string
  score?: number
  beside?: string[]
  tookMs?: number
  latencyMs?: number
  endedAt?: string
  why?: string
  outcome?: string
}
export type RunWithFindings = Run & { findings: AuditFinding[] }

type Row = {
  id: string
  kind: RunKind
  decoy: string
  agent: string
  segment: string
  reason: RunReason
  status: Run['status']
  tries: number
  created_at: string
  persona_version: number | null
  ip: string | null
  until_at: string | null
  username: string | null
  score: number | null
  beside: string | null
  took_ms: number | null
  latency_ms: number | null
  ended_at: string | null
  why: string | null
  outcome: string | null
}

const columns =
  'id, kind, decoy, agent, segment, reason, status, tries, created_at, persona_version, ip, until_at, username, score, beside, took_ms, latency_ms, ended_at, why, outcome'

const toRun = (row: Row): Run => ({
  id: row.id,
  kind: row.kind,
  decoy: row.decoy,
  agent: row.agent,
  segment: row.segment,
  reason: row.reason,
  status: row.status,
  tries: row.tries,
  createdAt: row.created_at,
  ...(row.persona_version !== null && { personaVersion: row.persona_version }),
  ...(row.ip !== null && { ip: row.ip }),
  ...(row.until_at !== null && { untilAt: row.until_at }),
  ...(row.username !== null && { username: row.username }),
  ...(row.score !== null && { score: row.score }),
  ...(row.beside !== null && { beside: JSON.parse(row.beside) as string[] }),
  ...(row.took_ms !== null && { tookMs: row.took_ms }),
  ...(row.latency_ms !== null && { latencyMs: row.latency_ms }),
  ...(row.ended_at !== null && { endedAt: row.ended_at }),
  ...(row.why !== null && { why: row.why }),
  ...(row.outcome !== null && { outcome: row.outcome }),
})

export type Wish = { kind: RunKind; reason: RunReason; decoy: { id: string; agent: string; segment: string } }

/** Puts a run in the queue; the one that waits or runs already stands for it. */
export async function queueRun(sql: Sql, { kind, reason, decoy }: Wish, now: number): Promise<Run> {
  const open = await sql.get<Row>(
    `SELECT ${columns} FROM audit_runs WHERE decoy = ? AND kind = ? AND status IN ('queued', 'running')`,
    decoy.id,
    kind,
  )
  if (open) return toRun(open)
  const [id, createdAt] = [newId(now), new Date(now).toISOString()]
  await sql.run(
    `INSERT INTO audit_runs (id, kind, decoy, agent, segment, reason, status, created_at) VALUES (?, ?, ?, ?, ?, ?, 'queued', ?)`,
    id,
    kind,
    decoy.id,
    decoy.agent,
    decoy.segment,
    reason,
    createdAt,
  )
  const { agent, segment } = decoy
  return { id, kind, decoy: decoy.id, agent, segment, reason, status: 'queued', tries: 0, createdAt }
}

export async function readRun(sql: Sql, id: string): Promise<Run | undefined> {
  const row = await sql.get<Row>(`SELECT ${columns} FROM audit_runs WHERE id = ?`, id)
  return row && toRun(row)
}

/** Runs that wait or are under way, oldest first. */
export async function openRuns(sql: Sql): Promise<Run[]> {
  const rows = await sql.all<Row>(
    `SELECT ${columns} FROM audit_runs WHERE status IN ('queued', 'running') ORDER BY created_at, kind, id LIMIT 1000`,
  )
  return rows.map(toRun)
}

/** A decoy's runs, newest first. */
export async function runsOf(sql: Sql, decoy: string, kind: RunKind | undefined, limit: number): Promise<Run[]> {
  const rows = await sql.all<Row>(
    `SELECT ${columns} FROM audit_runs WHERE decoy = ? AND (? IS NULL OR kind = ?) ORDER BY id DESC LIMIT ?`,
    decoy,
    kind ?? null,
    kind ?? null,
    limit,
  )
  return rows.map(toRun)
}

export async function runsNamed(sql: Sql, ids: readonly string[]): Promise<Run[]> {
  const rows = await sql.all<Row>(
    `SELECT ${columns} FROM audit_runs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
    JSON.stringify(ids),
  )
  return rows.map(toRun)
}

/** The run whose id begins with `prefix`, with its findings. Throws NOT_FOUND, AMBIGUOUS. */
export async function findRun(sql: Sql, prefix: string): Promise<RunWithFindings> {
  const rows = await sql.all<Row & { findings: string | null }>(
    `SELECT ${columns}, findings FROM audit_runs WHERE id >= ? AND id < ? LIMIT 5`,
    prefix,
    `${prefix}~`,
  )
  const [row, ...more] = rows
  if (!row)
    throw new MarshlightError('NOT_FOUND', { kind: 'audit', value: prefix, command: 'marshlight decoys audits' })
  if (more.length > 0)
    throw new MarshlightError('AMBIGUOUS', {
      kind: 'audit',
      value: prefix,
      matches: rows.map(({ id }) => id).join(', '),
    })
  return { ...toRun(row), findings: JSON.parse(row.findings ?? '[]') as AuditFinding[] }
}

const settable = ['status', 'tries', 'ended_at', 'why', 'outcome', 'latency_ms', 'until_at'] as const
type Change = Partial<Record<(typeof settable)[number], SqlValue>>

export async function changeRun(sql: Sql, id: string, change: Change): Promise<void> {
  const keys = settable.filter((key) => change[key] !== undefined)
  const set = keys.map((key) => `${key} = ?`).join(', ')
  await sql.run(`UPDATE audit_runs SET ${set} WHERE id = ?`, ...keys.map((key) => change[key] ?? null), id)
}

export type LastLook = { score?: number; auditedAt?: string; touchedAt?: string; touchMs?: number; touchLost?: boolean }

/** The last audit and the last touch of each decoy that ended. */
export async function lastLooks(sql: Sql): Promise<Map<string, LastLook>> {
  const rows = await sql.all<Row>(
    `SELECT ${columns} FROM audit_runs WHERE id IN (SELECT MAX(id) FROM audit_runs
       WHERE (kind = 'audit' AND status = 'done') OR (kind = 'touch' AND status IN ('done', 'failed')) GROUP BY decoy, kind)`,
  )
  const looks = new Map<string, LastLook>()
  for (const row of rows) {
    const { decoy, kind, status, score, endedAt, latencyMs } = toRun(row)
    const look = looks.get(decoy) ?? {}
    looks.set(decoy, look)
    if (kind === 'audit') Object.assign(look, { score, auditedAt: endedAt })
    else if (status === 'failed') Object.assign(look, { touchedAt: endedAt, touchLost: true })
    else Object.assign(look, { touchedAt: endedAt, touchMs: latencyMs })
  }
  return looks
}
