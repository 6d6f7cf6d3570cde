import type { Sql } from '../store/port.ts'
import type { Conduct, Line } from './attacker-class.ts'

/** Lines that are looked at; whoever typed more is known by these. */
const mostLines = 200

type Row = { session: number; at: string; kind: string; text: string | null }

/** What a source did so far, at all decoys, as far as sessions are kept. */
export async function conductOf(sql: Sql, source: string): Promise<Conduct> {
  const counts = await sql.get<{ sessions: number; tries: number }>(
    'SELECT COUNT(*) AS sessions, COALESCE(SUM(tries), 0) AS tries FROM sessions WHERE source = ? AND audit IS NULL',
    source,
  )
  const terminal = await sql.get(
    'SELECT 1 AS one FROM adaptation_visits WHERE source = ? AND terminal = 1 LIMIT 1',
    source,
  )
  const rows = await sql.all<Row>(
    `SELECT e.session, e.at, e.kind, e.text FROM session_events e JOIN sessions s ON s.id = e.session
     WHERE s.source = ? AND s.audit IS NULL AND e.kind IN ('command', 'request') ORDER BY e.at DESC, e.pos DESC LIMIT ?`,
    source,
    mostLines,
  )
  const lines = (kind: string): Line[] =>
    rows
      .filter((row) => row.kind === kind)
      .map(({ session, at, text }) => ({ session: String(session), atMs: Date.parse(at), line: text ?? '' }))
      .reverse()
  return {
    sessions: counts?.sessions ?? 0,
    tries: counts?.tries ?? 0,
    terminal: terminal !== undefined,
    commands: lines('command'),
    requests: lines('request'),
  }
}

/** What a source typed at a decoy from one time to another, and what it asked services for, in order. */
export async function linesBetween(
  sql: Sql,
  { source, decoy, from, to }: { source: string; decoy: string; from: string; to: string },
): Promise<{ lines: string[]; requests: string[] }> {
  const rows = await sql.all<{ kind: string; text: string | null }>(
    `SELECT e.kind, e.text FROM session_events e JOIN sessions s ON s.id = e.session
     WHERE s.source = ? AND s.decoy = ? AND s.audit IS NULL AND e.kind IN ('command', 'request') AND e.at BETWEEN ? AND ?
     ORDER BY e.at, e.pos LIMIT ?`,
    source,
    decoy,
    from,
    to,
    mostLines,
  )
  const of = (kind: string) => rows.filter((row) => row.kind === kind).map(({ text }) => text ?? '')
  return { lines: of('command'), requests: of('request') }
}

/** Where a decoy has a service, as its visitors found it; that of SSH where nobody has. */
export async function portOf(sql: Sql, decoy: string, service: string): Promise<number> {
  const found = await sql.get<{ port: number }>(
    `SELECT dst_port AS port FROM sessions WHERE decoy = ? AND service = ? AND dst_port IS NOT NULL
     ORDER BY last_at DESC LIMIT 1`,
    decoy,
    service,
  )
  return found?.port ?? 22
}
