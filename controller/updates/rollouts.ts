import { MarshlightError } from '../../shared/errors.ts'
import type { UpdatePhase } from '../../shared/schemas/update.ts'
import type { Sql, SqlValue } from '../store/port.ts'
import type { Order } from './plan.ts'
import { type RolloutPolicy, rolloutPolicy } from './policy.ts'

export type RolloutStatus = 'planned' | 'running' | 'paused' | 'done' | 'aborted'
export type Rollout = {
  id: string
  version: string
  kind: 'update' | 'rollback'
  policy: RolloutPolicy
  status: RolloutStatus
  why: string | null
  madeAt: string
  startedAt: string | null
  endedAt: string | null
  ring: number
  ringMs: number
  gateMs: number | null
  watchedMs: number
  lookedAt: string | null
}
/** How a box was when it was told to install. */
export type Before = { ready: number; spoolMb: number }
export type RolloutBox = {
  agent: string
  ring: number
  ordered: Order
  orderedAt: string | null
  orderedMs: number | null
  phase: UpdatePhase | null
  phaseAt: string | null
  bytes: number | null
  of: number | null
  code: string | null
  reason: string | null
  before: Before | null
  unwellMs: number | null
  late: boolean
}

const columns = `id, version, kind, policy, status, why, made_at AS madeAt, started_at AS startedAt, ended_at AS endedAt, ring,
  ring_ms AS ringMs, gate_ms AS gateMs, watched_ms AS watchedMs, looked_at AS lookedAt`
type Row = Omit<Rollout, 'policy'> & { policy: string }
const toRollout = (row: Row): Rollout => ({ ...row, policy: rolloutPolicy.parse(JSON.parse(row.policy)) })

/** Newest first. */
export async function listRollouts(sql: Sql, statuses?: readonly RolloutStatus[]): Promise<Rollout[]> {
  const rows = await sql.all<Row>(
    `SELECT ${columns} FROM rollouts WHERE ? IS NULL OR status IN (SELECT value FROM json_each(?)) ORDER BY id DESC`,
    statuses ? 1 : null,
    JSON.stringify(statuses ?? []),
  )
  return rows.map(toRollout)
}

/** By its id, or the beginning or end of it. Throws NOT_FOUND, AMBIGUOUS. */
export async function findRollout(sql: Sql, what: string): Promise<Rollout> {
  const all = await listRollouts(sql)
  const found = all.filter(({ id }) => id === what || (what.length >= 4 && (id.startsWith(what) || id.endsWith(what))))
  const [only] = found
  const kind = 'rollout'
  if (!only) throw new MarshlightError('NOT_FOUND', { kind, value: what, command: 'marshlight updates status' })
  if (found.length > 1)
    throw new MarshlightError('AMBIGUOUS', {
      kind,
      value: what,
      matches: found.map(({ id }) => id.slice(-8)).join(', '),
    })
  return only
}

export async function insertRollout(
  sql: Sql,
  { id, version, kind, policy, at }: Pick<Rollout, 'id' | 'version' | 'kind' | 'policy'> & { at: string },
  rings: ReadonlyMap<string, number>,
): Promise<void> {
  await sql.run(
    `INSERT INTO rollouts (id, version, kind, policy, status, made_at, ring, ring_ms, watched_ms)
     VALUES (?, ?, ?, ?, 'planned', ?, -1, 0, 0)`,
    id,
    version,
    kind,
    JSON.stringify(policy),
    at,
  )
  for (const [agent, ring] of rings) await insertBox(sql, id, agent, ring)
}

export const insertBox = (sql: Sql, rollout: string, agent: string, ring: number) =>
  sql.run("INSERT INTO rollout_boxes (rollout, agent, ring, ordered) VALUES (?, ?, ?, 'none')", rollout, agent, ring)

const names = {
  status: 'status',
  why: 'why',
  startedAt: 'started_at',
  endedAt: 'ended_at',
  ring: 'ring',
  ringMs: 'ring_ms',
  gateMs: 'gate_ms',
  watchedMs: 'watched_ms',
  lookedAt: 'looked_at',
} as const
const boxNames = {
  ordered: 'ordered',
  orderedAt: 'ordered_at',
  orderedMs: 'ordered_ms',
  before: 'before',
  unwellMs: 'unwell_ms',
  late: 'late',
} as const

export async function updateRollout(
  sql: Sql,
  id: string,
  change: Partial<Pick<Rollout, keyof typeof names> & { policy: RolloutPolicy }>,
): Promise<void> {
  const { policy, ...rest } = change
  for (const [key, value] of Object.entries(rest) as [keyof typeof names, SqlValue][])
    await sql.run(`UPDATE rollouts SET ${names[key]} = ? WHERE id = ?`, value, id)
  if (policy) await sql.run('UPDATE rollouts SET policy = ? WHERE id = ?', JSON.stringify(policy), id)
}

export async function updateBox(
  sql: Sql,
  rollout: string,
  agent: string,
  change: Partial<Pick<RolloutBox, keyof typeof boxNames>>,
): Promise<void> {
  for (const [key, value] of Object.entries(change) as [keyof typeof boxNames, RolloutBox[keyof typeof boxNames]][]) {
    const kept = typeof value === 'object' && value !== null ? JSON.stringify(value) : value
    const given = typeof kept === 'boolean' ? Number(kept) : kept
    await sql.run(
      `UPDATE rollout_boxes SET ${boxNames[key]} = ? WHERE rollout = ? AND agent = ?`,
      given,
      rollout,
      agent,
    )
  }
}

type BoxRow = Omit<RolloutBox, 'before' | 'late'> & { before: string | null; late: number }

/** Of agents that are enrolled: who was revoked is nobody's concern any more. */
export async function boxesOf(sql: Sql, rollout: string): Promise<RolloutBox[]> {
  const rows = await sql.all<BoxRow>(
    `SELECT b.agent, b.ring, b.ordered, b.ordered_at AS orderedAt, b.ordered_ms AS orderedMs, b.phase, b.phase_at AS phaseAt,
       b.bytes, b.of, b.code, b.reason, b.before, b.unwell_ms AS unwellMs, b.late
     FROM rollout_boxes b JOIN agents a ON a.id = b.agent WHERE b.rollout = ? AND a.status = 'enrolled' ORDER BY b.agent`,
    rollout,
  )
  return rows.map(({ before, late, ...row }) => ({
    ...row,
    before: before === null ? null : (JSON.parse(before) as Before),
    late: late === 1,
  }))
}
