import { MarshlightError } from '../../shared/errors.ts'
import { readBlob } from '../store/blobs.ts'
import type { Sql, SqlValue } from '../store/port.ts'
import type { SessionFacts } from './fold.ts'

export type Session = SessionFacts & { id: number; agent: string; decoy: string; session: string }
export type SessionFilter = {
  source?: string | undefined
  /** Beginning of the decoy's id. */
  decoy?: string | undefined
  since?: string | undefined
  until?: string | undefined
  /** Sessions with a command that holds these words, in any case. */
  text?: string | undefined
  /** Only sessions in which a log-in succeeded. */
  success?: boolean | undefined
  /** Those of audits and test touches as well. */
  audit?: boolean | undefined
  limit: number
}
export type TimelineEntry = {
  pos: number
  at: string
  received_at: string
  kind: string
  text: string | null
  username: string | null
  password: string | null
  sha256: string | null
  size: number | null
}
export type CapturedFile = {
  sha256: string
  size: number | null
  first_at: string
  last_at: string
  times: number
  name: string | null
  /** Bytes that are kept here; null while they have not come whole. */
  stored: number | null
}

/** Sessions, newest first. */
export function listSessions(sql: Sql, filter: SessionFilter): Promise<Session[]> {
  const where: string[] = []
  const values: SqlValue[] = []
  const add = (condition: string, value: SqlValue | undefined) => {
    if (value === undefined) return
    where.push(condition)
    values.push(value)
  }
  add('source = ?', filter.source)
  add('decoy >= ?', filter.decoy)
  add('decoy < ?', filter.decoy === undefined ? undefined : `${filter.decoy}~`)
  add('last_at >= ?', filter.since)
  add('first_at <= ?', filter.until)
  if (filter.success) where.push('success = 1')
  if (!filter.audit) where.push('audit IS NULL')
  add(
    `id IN (SELECT session FROM session_events WHERE kind IN ('command', 'command.unknown') AND text LIKE ? ESCAPE '\\')`,
    filter.text === undefined ? undefined : `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`,
  )
  return sql.all<Session>(
    `SELECT * FROM sessions ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''} ORDER BY last_at DESC, id DESC LIMIT ?`,
    ...values,
    filter.limit,
  )
}

/** The session whose id (the service's own) begins with `prefix`. Throws NOT_FOUND, AMBIGUOUS. */
export async function findSession(sql: Sql, prefix: string): Promise<Session> {
  const found = await sql.all<Session>(
    'SELECT * FROM sessions WHERE session >= ? AND session < ? ORDER BY session LIMIT 5',
    prefix,
    `${prefix}\uffff`,
  )
  const exact = found.filter(({ session }) => session === prefix)
  const [one, ...more] = exact.length > 0 ? exact : found
  if (!one)
    throw new MarshlightError('NOT_FOUND', { kind: 'session', value: prefix, command: 'marshlight sessions ls' })
  if (more.length > 0)
    throw new MarshlightError('AMBIGUOUS', {
      kind: 'session',
      value: prefix,
      matches: [one, ...more].map(({ session, decoy }) => `${session} (decoy ${decoy})`).join(', '),
    })
  return one
}

/** What happened in a session, by the decoy's own time. */
export const timelineOf = (sql: Sql, session: number): Promise<TimelineEntry[]> =>
  sql.all<TimelineEntry>(
    `SELECT pos, at, received_at, kind, text, username, password, sha256, size FROM session_events
     WHERE session = ? ORDER BY at, pos LIMIT 10000`,
    session,
  )

const fileSql = `SELECT e.sha256, MAX(e.size) AS size, MIN(e.at) AS first_at, MAX(e.at) AS last_at, COUNT(*) AS times,
  MAX(e.text) AS name, (SELECT b.size FROM blobs b WHERE b.sha256 = e.sha256) AS stored
  FROM session_events e WHERE e.kind IN ('file.download', 'file.upload') AND e.sha256 IS NOT NULL`

/** Files that attackers brought, newest first. */
export const listFiles = (sql: Sql, limit: number): Promise<CapturedFile[]> =>
  sql.all<CapturedFile>(`${fileSql} GROUP BY e.sha256 ORDER BY last_at DESC LIMIT ?`, limit)

/** The captured file whose SHA-256 begins with `prefix`, and the sessions that brought it. Throws NOT_FOUND, AMBIGUOUS. */
export async function findFile(sql: Sql, prefix: string): Promise<CapturedFile & { sessions: string[] }> {
  const found = await sql.all<CapturedFile>(
    `${fileSql} AND e.sha256 >= ? AND e.sha256 < ? GROUP BY e.sha256 LIMIT 5`,
    prefix,
    `${prefix}\uffff`,
  )
  const [one, ...more] = found
  if (!one)
    throw new MarshlightError('NOT_FOUND', { kind: 'file', value: prefix, command: 'marshlight sessions files' })
  if (more.length > 0)
    throw new MarshlightError('AMBIGUOUS', {
      kind: 'file',
      value: prefix,
      matches: found.map((f) => f.sha256).join(', '),
    })
  const rows = await sql.all<{ session: string }>(
    `SELECT DISTINCT s.session FROM session_events e JOIN sessions s ON s.id = e.session WHERE e.sha256 = ? LIMIT 100`,
    one.sha256,
  )
  return { ...one, sessions: rows.map(({ session }) => session) }
}

/** Terminal logs of a session that came whole, in order. */
export async function ttysOf(sql: Sql, session: number): Promise<{ sha256: string; at: string; data: Buffer }[]> {
  const rows = await sql.all<{ sha256: string; at: string }>(
    'SELECT sha256, at FROM session_ttys WHERE session = ? ORDER BY at LIMIT 100',
    session,
  )
  const logs: { sha256: string; at: string; data: Buffer }[] = []
  for (const row of rows) {
    const blob = await readBlob(sql, row.sha256)
    if (blob) logs.push({ ...row, data: blob.data })
  }
  return logs
}

/** Removes sessions and events that ended before `before`. */
export async function pruneSessions(sql: Sql, before: string): Promise<number> {
  await sql.run('DELETE FROM session_events WHERE at < ?', before)
  await sql.run('DELETE FROM session_ttys WHERE at < ?', before)
  const { changes } = await sql.run(
    'DELETE FROM sessions WHERE last_at < ? AND NOT EXISTS (SELECT 1 FROM session_events e WHERE e.session = sessions.id) AND NOT EXISTS (SELECT 1 FROM session_ttys t WHERE t.session = sessions.id)',
    before,
  )
  return changes
}
