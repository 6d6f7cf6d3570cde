import type { Sql } from '../store/port.ts'
import type { Conduct } from './attacker-class.ts'

/** Lines that are looked at; whoever typed more is known by these. */
const mostLines = 200

type Line = { session: number; at: string; text: string | null }

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
  const lines = await sql.all<Line>(
    `SELECT e.session, e.at, e.text FROM session_events e JOIN sessions s ON s.id = e.session
     WHERE s.source = ? AND s.audit IS NULL AND e.kind = 'command' ORDER BY e.at DESC, e.pos DESC LIMIT ?`,
    source,
    mostLines,
  )
  return {
    sessions: counts?.sessions ?? 0,
    tries: counts?.tries ?? 0,
    terminal: terminal !== undefined,
    commands: lines.reverse().map(({ session, at, text }) => ({
      session: String(session),
      atMs: Date.parse(at),
      line: text ?? '',
    })),
  }
}

/** Lines that a source typed at a decoy from one time to another, in order. */
export async function linesBetween(
  sql: Sql,
  { source, decoy, from, to }: { source: string; decoy: string; from: string; to: string },
): Promise<string[]> {
  const rows = await sql.all<{ text: string | null }>(
    `SELECT e.text FROM session_events e JOIN sessions s ON s.id = e.session
     WHERE s.source = ? AND s.decoy = ? AND s.audit IS NULL AND e.kind = 'command' AND e.at BETWEEN ? AND ?
     ORDER BY e.at, e.pos LIMIT ?`,
    source,
    decoy,
    from,
    to,
    mostLines,
  )
  return rows.map(({ text }) => text ?? '')
}
