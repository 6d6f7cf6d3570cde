import type { Sql } from '../store/port.ts'

/** Segments whose own traffic and real services are looked at: all but those that somebody switched off. */

export async function isWatched(sql: Sql, segment: string): Promise<boolean> {
  const row = await sql.get<{ watched: number }>('SELECT watched FROM baseline_watching WHERE segment = ?', segment)
  return row?.watched !== 0
}

/** Whether nothing of its own traffic and services is to stay, also of what comes late. */
export async function isForgotten(sql: Sql, segment: string): Promise<boolean> {
  const row = await sql.get(
    'SELECT 1 FROM baseline_watching WHERE segment = ? AND watched = 0 AND forgotten = 1',
    segment,
  )
  return row !== undefined
}

/** `forget`: its agents keep nothing of it either, from their next plan on, and until it is watched again. */
export async function setWatched(sql: Sql, segment: string, watched: boolean, at: string, forget = false) {
  await sql.run(
    `INSERT INTO baseline_watching (segment, watched, at, forgotten) VALUES (?, ?, ?, ?)
     ON CONFLICT (segment) DO UPDATE SET watched = excluded.watched, at = excluded.at,
       forgotten = CASE WHEN excluded.watched THEN 0 ELSE max(forgotten, excluded.forgotten) END`,
    segment,
    watched ? 1 : 0,
    at,
    forget && !watched ? 1 : 0,
  )
}

/** Networks of an agent's segments that are looked at, for its plan. */
export async function watchedNetworks(sql: Sql, agent: string): Promise<string[]> {
  const rows = await sql.all<{ cidr: string }>(
    `SELECT x.cidr FROM agent_segments x WHERE x.agent = ? AND x.cidr IS NOT NULL
       AND x.segment NOT IN (SELECT segment FROM baseline_watching WHERE watched = 0) ORDER BY x.cidr`,
    agent,
  )
  return rows.map(({ cidr }) => cidr)
}

/** Networks of an agent's segments of which it shall keep nothing. */
export async function forgottenNetworks(sql: Sql, agent: string): Promise<string[]> {
  const rows = await sql.all<{ cidr: string }>(
    `SELECT x.cidr FROM agent_segments x JOIN baseline_watching w ON w.segment = x.segment
     WHERE x.agent = ? AND x.cidr IS NOT NULL AND w.forgotten = 1 AND w.watched = 0 ORDER BY x.cidr`,
    agent,
  )
  return rows.map(({ cidr }) => cidr)
}
