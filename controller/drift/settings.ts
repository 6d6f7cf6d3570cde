import { driftMark } from '../../shared/drift-mark.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { type DecoyDrift, type Drift, drift, mostViews } from '../../shared/schemas/drift.ts'
import type { Sql } from '../store/port.ts'

/** Who set it: an administrator, or the loop that learns what keeps attackers. */
export type SetBy = 'admin' | 'adaptation'

export type DriftWish = {
  decoy: string
  /** The attacker whose view it is; undefined: everyone who has no view of his own. */
  source?: string
  /** null: none at all, for a view alone. */
  drift: Drift | null
  by: SetBy
  reason: string
  at: string
  /** In force until then; undefined: until it is cleared. */
  until?: string
}
export type DriftSetting = DriftWish & { id: string; endedAt?: string; endedWhy?: string }

/** What was changed; whoever asked emits `plan-changed` for `agent` after the commit. */
export type DriftChange = { agent: string; decoy: string; settings: DriftSetting[] }

type Row = {
  id: string
  decoy: string
  source: string
  drift: string
  set_by: SetBy
  reason: string
  set_at: string
  until: string | null
  ended_at: string | null
  ended_why: string | null
}

const toSetting = (row: Row): DriftSetting => ({
  id: row.id,
  decoy: row.decoy,
  ...(row.source !== '' && { source: row.source }),
  drift: drift.nullable().parse(JSON.parse(row.drift)),
  by: row.set_by,
  reason: row.reason,
  at: row.set_at,
  ...(row.until !== null && { until: row.until }),
  ...(row.ended_at !== null && { endedAt: row.ended_at }),
  ...(row.ended_why !== null && { endedWhy: row.ended_why }),
})

/**
 * Sets a decoy's drift, in the place of what was in force for everyone or for that source, in the transaction of `sql`.
 * Throws DRIFT_UNUSABLE beyond the bounds, NOT_FOUND for an unknown decoy, and CONFLICT for a retired one, for too many
 * views, and where adaptation would replace what an administrator set.
 */
export async function setDrift(sql: Sql, wish: DriftWish): Promise<DriftChange> {
  const agent = await agentOf(sql, wish.decoy)
  const source = wish.source ?? ''
  if (wish.drift === null && source === '')
    throw new MarshlightError('USAGE', {
      what: 'no drift for everyone is what `clear` does',
      command: 'marshlight drift clear',
    })
  const checked = wish.drift === null ? null : withinBounds(wish.drift)
  const held = await inForce(sql, wish.decoy)
  const before = held.find((one) => (one.source ?? '') === source)
  if (wish.by === 'adaptation' && before?.by === 'admin')
    throw new MarshlightError('CONFLICT', {
      what: `an administrator set the drift of ${wish.decoy}${source && ` for ${source}`}`,
      next: `Clear it first with \`marshlight drift clear ${wish.decoy}\`.`,
    })
  if (source !== '' && !before && held.filter((one) => one.source !== undefined).length >= mostViews)
    throw new MarshlightError('CONFLICT', {
      what: `${wish.decoy} has ${mostViews} views by source, the most there may be`,
      next: 'Clear some with `marshlight drift clear DECOY --source IP`.',
    })
  if (before) await end(sql, [before], wish.at, `replaced by ${wish.by}`)
  const setting: DriftSetting = { ...wish, drift: checked, id: newId(Date.parse(wish.at)) }
  await sql.run(
    `INSERT INTO drift_settings (id, decoy, source, drift, set_by, reason, set_at, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    setting.id,
    wish.decoy,
    source,
    JSON.stringify(checked),
    wish.by,
    wish.reason.slice(0, 512),
    wish.at,
    wish.until ?? null,
  )
  return { agent, decoy: wish.decoy, settings: [setting] }
}

type ClearWish = {
  decoy: string
  /** One attacker's view, everyone's setting without the views, or all of it. */
  of: { source: string } | 'everyone' | 'all'
  at: string
  why: string
}

/** Ends settings of a decoy; `settings` are those that were ended, perhaps none. */
export async function clearDrift(sql: Sql, { decoy, of, at, why }: ClearWish): Promise<DriftChange> {
  const agent = await agentOf(sql, decoy)
  const meant = ({ source }: DriftSetting) =>
    of === 'all' || (of === 'everyone' ? source === undefined : source === of.source)
  const settings = (await inForce(sql, decoy)).filter(meant)
  await end(sql, settings, at, why)
  return { agent, decoy, settings }
}

/** Ends those whose time is over, and those of decoys that are no more; the agents whose plans change by that. */
export async function expireDrift(sql: Sql, at: string): Promise<string[]> {
  const over = await sql.all<Row & { agent: string; status: string }>(
    `SELECT s.*, d.agent, d.status FROM drift_settings s JOIN decoys d ON d.id = s.decoy
     WHERE s.ended_at IS NULL AND (s.until <= ? OR d.status = 'retired')`,
    at,
  )
  for (const row of over)
    await end(sql, [toSetting(row)], at, row.status === 'retired' ? 'the decoy was retired' : 'its time was over')
  return [...new Set(over.map(({ agent }) => agent))].sort()
}

/** Settings in force at a decoy: everyone's first, then views in the order of their addresses. */
export async function inForce(sql: Sql, decoy: string): Promise<DriftSetting[]> {
  const rows = await sql.all<Row>(
    'SELECT * FROM drift_settings WHERE decoy = ? AND ended_at IS NULL ORDER BY source',
    decoy,
  )
  return rows.map(toSetting)
}

/** Whether an administrator's setting was in force at some time between, for everyone or where this source looks. */
export async function wasSetByHand(
  sql: Sql,
  { decoy, source, from, to }: { decoy: string; source: string; from: string; to: string },
): Promise<boolean> {
  const row = await sql.get(
    `SELECT 1 AS one FROM drift_settings WHERE decoy = ? AND source IN ('', ?) AND set_by = 'admin' AND set_at <= ?
     AND (ended_at IS NULL OR ended_at >= ?) LIMIT 1`,
    decoy,
    source,
    to,
    from,
  )
  return row !== undefined
}

/** Of settings in force: what adaptation chose for one source stands back while an administrator's is there for everyone. */
export const givesWay = ({ by, source }: DriftSetting, all: readonly DriftSetting[]): boolean =>
  by === 'adaptation' && source !== undefined && all.some((one) => one.source === undefined && one.by === 'admin')

/** All settings that a decoy ever had, newest first. */
export async function historyOfDrift(sql: Sql, decoy: string, limit = 100): Promise<DriftSetting[]> {
  const rows = await sql.all<Row>(
    'SELECT * FROM drift_settings WHERE decoy = ? ORDER BY set_at DESC, id DESC LIMIT ?',
    decoy,
    limit,
  )
  return rows.map(toSetting)
}

/** Each drift that somebody has met at a decoy since then; null for none at all. */
export async function driftsMetSince(sql: Sql, decoy: string, since: string): Promise<(Drift | null)[]> {
  const rows = await sql.all<Pick<Row, 'drift'>>(
    'SELECT DISTINCT drift FROM drift_settings WHERE decoy = ? AND (ended_at IS NULL OR ended_at > ?)',
    decoy,
    since,
  )
  return rows.map((row) => drift.nullable().parse(JSON.parse(row.drift)))
}

/** What a decoy is to do, as the plan and its control file say it. */
export const driftOf = async (sql: Sql, decoy: string): Promise<DecoyDrift> => asPlanned(await inForce(sql, decoy))

/** The same for each decoy of an agent that has any. */
export async function driftsOfAgent(sql: Sql, agent: string): Promise<Map<string, DecoyDrift>> {
  const rows = await sql.all<Row>(
    `SELECT s.* FROM drift_settings s JOIN decoys d ON d.id = s.decoy
     WHERE d.agent = ? AND d.status = 'wanted' AND s.ended_at IS NULL ORDER BY s.decoy, s.source`,
    agent,
  )
  const all = [...Map.groupBy(rows.map(toSetting), ({ decoy }) => decoy)].map(
    ([id, own]) => [id, asPlanned(own)] as const,
  )
  return new Map(all.filter(([, drift]) => driftMark(drift) !== 'none'))
}

/** A view without drift says something only where everyone else has some. */
function asPlanned(settings: readonly DriftSetting[]): DecoyDrift {
  const everyone = settings.find(({ source }) => source === undefined)?.drift ?? null
  const views = settings
    .filter((one) => !givesWay(one, settings))
    .flatMap(({ source, drift }) =>
      source === undefined || (drift === null && everyone === null) ? [] : [{ source, drift }],
    )
  return { everyone, views }
}

/** The drift as its schema has it, or DRIFT_UNUSABLE with the value that is too much. */
export function withinBounds(value: unknown): Drift {
  const parsed = drift.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path ?? []
  const given = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value)
  const where = path.filter((key) => typeof key === 'string' && key !== 'effects').join('.')
  throw new MarshlightError('DRIFT_UNUSABLE', {
    why:
      where === '' ? (issue?.message ?? 'it is no drift') : `${where} is ${JSON.stringify(given)}: ${issue?.message}`,
  })
}

async function end(sql: Sql, settings: readonly DriftSetting[], at: string, why: string): Promise<void> {
  for (const { id } of settings)
    await sql.run('UPDATE drift_settings SET ended_at = ?, ended_why = ? WHERE id = ?', at, why.slice(0, 512), id)
}

async function agentOf(sql: Sql, decoy: string): Promise<string> {
  const found = await sql.get<{ agent: string; status: string; hostname: string }>(
    'SELECT agent, status, hostname FROM decoys WHERE id = ?',
    decoy,
  )
  if (!found) throw new MarshlightError('NOT_FOUND', { kind: 'decoy', value: decoy, command: 'marshlight decoys ls' })
  if (found.status === 'retired')
    throw new MarshlightError('CONFLICT', {
      what: `decoy ${found.hostname} is retired`,
      next: 'List those that are with `marshlight decoys ls`.',
    })
  return found.agent
}
