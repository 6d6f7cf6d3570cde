import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { ControllerConfig } from '../config.ts'
import type { Sql } from '../store/port.ts'

export const severities = ['info', 'warning', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]
export const alertKinds = [
  'risk',
  'honey',
  'silent-agent',
  'dead-decoy',
  'unsafe-decoy',
  'records-lost',
  'dead-letters',
  'no-free-address',
  'response-refused',
  'audit',
  'touch',
  'touch-lost',
  'notice',
  'drift',
  'clone',
  'enrolment',
  'update',
] as const
export type AlertKind = (typeof alertKinds)[number]
export type AlertStatus = 'open' | 'acknowledged' | 'closed'

export type Alert = {
  id: string
  kind: AlertKind
  /** What it is about: an address, an agent, a decoy, a segment. */
  subject: string
  severity: Severity
  title: string
  reasons: string[]
  score: number | null
  status: AlertStatus
  count: number
  created_at: string
  last_at: string
  event_at: string | null
  received_at: string | null
  ended_at: string | null
  ended_why: string | null
}
export type Cause = {
  kind: AlertKind
  subject: string
  severity: Severity
  title: string
  reasons: string[]
  score?: number
  eventAt?: string
  receivedAt?: string
  /** A state that lasts rather than a happening: one alert until it is closed, whose count does not rise. */
  lasting?: boolean
  /** Kept, and no channel is told. */
  quiet?: boolean
}

type AlertRow = Omit<Alert, 'reasons'> & { reasons: string }
const toAlert = (row: AlertRow): Alert => ({ ...row, reasons: JSON.parse(row.reasons) as string[] })

export type RaiseDeps = { clock: Clock; config: Pick<ControllerConfig, 'alerts'> }

/**
 * Raises an alert, or adds to the one that stands for the same kind and subject. Gives the alert when there is
 * something to tell: it is new, graver than before, or happened again. Within the caller's transaction, who emits
 * `alert` after its commit. News that are new or graver go to the channels' outbox.
 */
export async function raise(sql: Sql, deps: RaiseDeps, cause: Cause): Promise<Alert | undefined> {
  const { clock, config } = deps
  const now = isoNow(clock)
  const since = new Date(clock.now() - config.alerts.groupMinutes * 60_000).toISOString()
  const held = await sql.get<AlertRow>(
    `SELECT * FROM alerts WHERE kind = ? AND subject = ? AND status <> 'closed' AND last_at >= ? ORDER BY last_at DESC LIMIT 1`,
    cause.kind,
    cause.subject,
    cause.lasting ? '' : since,
  )
  if (held && cause.lasting) return undefined
  const graver = held !== undefined && severities.indexOf(cause.severity) > severities.indexOf(held.severity)
  const alert: Alert = {
    id: held?.id ?? newId(clock.now()),
    kind: cause.kind,
    subject: cause.subject,
    severity: held && !graver ? held.severity : cause.severity,
    title: held && !graver ? held.title : cause.title,
    reasons: cause.reasons,
    score: Math.max(cause.score ?? 0, held?.score ?? 0) || null,
    // What an administrator knew of becomes open again only by growing graver.
    status: graver ? 'open' : (held?.status ?? 'open'),
    count: (held?.count ?? 0) + 1,
    created_at: held?.created_at ?? now,
    last_at: now,
    event_at: held?.event_at ?? cause.eventAt ?? null,
    received_at: held?.received_at ?? cause.receivedAt ?? null,
    ended_at: null,
    ended_why: null,
  }
  await save(sql, alert)
  if ((!held || graver) && !cause.quiet) await enqueue(sql, deps, alert)
  return alert
}

const columns = [
  'id',
  'kind',
  'subject',
  'severity',
  'title',
  'reasons',
  'score',
  'status',
  'count',
  'created_at',
  'last_at',
  'event_at',
  'received_at',
  'ended_at',
  'ended_why',
] as const

const save = (sql: Sql, alert: Alert) =>
  sql.run(
    `INSERT INTO alerts (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT (id) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    ...columns.map((column) => (column === 'reasons' ? JSON.stringify(alert.reasons) : alert[column])),
  )

async function enqueue(sql: Sql, { clock, config }: RaiseDeps, alert: Alert): Promise<void> {
  for (const { name, minScore } of config.alerts.webhooks) {
    if (alert.score !== null && alert.score < minScore) continue
    await sql.run(
      `INSERT INTO alert_outbox (id, alert, channel, payload, status, attempts, next_at, created_at) VALUES (?, ?, ?, ?, 'pending', 0, ?, ?)`,
      newId(clock.now()),
      alert.id,
      name,
      JSON.stringify(alert),
      isoNow(clock),
      isoNow(clock),
    )
  }
}

/** Closes the standing alert of a kind and subject, because its cause is gone. */
export async function settle(
  sql: Sql,
  clock: Clock,
  what: { kind: AlertKind; subject: string; why: string },
): Promise<string | undefined> {
  const held = await sql.get<{ id: string }>(
    `SELECT id FROM alerts WHERE kind = ? AND subject = ? AND status <> 'closed' ORDER BY last_at DESC LIMIT 1`,
    what.kind,
    what.subject,
  )
  if (held) await setStatus(sql, clock, held.id, 'closed', what.why)
  return held?.id
}

export async function setStatus(sql: Sql, clock: Clock, id: string, status: AlertStatus, why: string): Promise<void> {
  await sql.run(
    'UPDATE alerts SET status = ?, ended_at = ?, ended_why = ? WHERE id = ?',
    status,
    status === 'closed' ? isoNow(clock) : null,
    status === 'open' ? null : why,
    id,
  )
}

/** Newest first. Those of test touches only where they are asked for by their kind. */
export async function listAlerts(
  sql: Sql,
  filter: { status?: AlertStatus | undefined; kind?: string | undefined; subject?: string | undefined; limit: number },
): Promise<Alert[]> {
  const { status = null, kind = null, subject = null } = filter
  const rows = await sql.all<AlertRow>(
    `SELECT * FROM alerts WHERE (? IS NULL OR status = ?) AND (? IS NULL AND kind <> 'touch' OR kind = ?) AND (? IS NULL OR subject = ?)
     ORDER BY last_at DESC, id DESC LIMIT ?`,
    status,
    status,
    kind,
    kind,
    subject,
    subject,
    filter.limit,
  )
  return rows.map(toAlert)
}

/** The alert whose id begins with `prefix`. Throws NOT_FOUND, AMBIGUOUS. */
export async function findAlert(sql: Sql, prefix: string): Promise<Alert> {
  const found = await sql.all<AlertRow>('SELECT * FROM alerts WHERE id >= ? AND id < ? LIMIT 5', prefix, `${prefix}~`)
  const [one, ...more] = found
  if (!one) throw new MarshlightError('NOT_FOUND', { kind: 'alert', value: prefix, command: 'marshlight alerts ls' })
  if (more.length > 0)
    throw new MarshlightError('AMBIGUOUS', {
      kind: 'alert',
      value: prefix,
      matches: found.map(({ id }) => id).join(', '),
    })
  return toAlert(one)
}
