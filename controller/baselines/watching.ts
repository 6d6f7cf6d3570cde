import type { Sql } from '../store/port.ts'

/** Segments whose own traffic and real services are looked at: all but those that somebody switched off. */

export async function isWatched(sql: Sql, segment: string): Promise<boolean> {
  const row = await sql.get<{ watched: number }>('SELECT watched FROM baseline_watching WHERE segment = ?', segment)
  return row?.watched !== 0
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

/** Deletes what is known of a segment's own traffic and services. Returns how many subjects and windows went. */
export async function forgetSegment(sql: Sql, segment: string): Promise<{ subjects: number; windows: number }> {
  const ids = `(SELECT id FROM baseline_subjects WHERE segment = ? AND kind IN ('service', 'segment'))`
  const windows = await sql.run(`DELETE FROM baseline_windows WHERE subject IN ${ids}`, segment)
  await sql.run(`DELETE FROM baseline_cells WHERE subject IN ${ids}`, segment)
  const subjects = await sql.run(
    "DELETE FROM baseline_subjects WHERE segment = ? AND kind IN ('service', 'segment')",
    segment,
  )
  await forgetRecords(sql, segment)
  return { subjects: subjects.changes, windows: windows.changes }
}

/**
 * The records themselves lose what they told, and keep their places: positions and numbers run without gaps. What is left is
 * an empty window, which says nothing and which every reader takes.
 */
async function forgetRecords(sql: Sql, segment: string): Promise<void> {
  await sql.run(
    `UPDATE records SET body = json_set(body, '$.profile', json('{}'), '$.patterns', json('[]'))
     WHERE stream_id IN (SELECT s.id FROM streams s JOIN agent_segments x ON x.agent = s.agent WHERE s.stream = 'features' AND x.segment = ?)
       AND ((json_extract(body, '$.subject.kind') IN ('service', 'segment')
             AND json_extract(body, '$.subject.cidr') IN (SELECT cidr FROM agent_segments WHERE segment = ?))
         OR (json_extract(body, '$.type') = 'patterns' AND json_extract(body, '$.cidr') IN (SELECT cidr FROM agent_segments WHERE segment = ?)))`,
    segment,
    segment,
    segment,
  )
}
