import type { Sql } from '../store/port.ts'

/** Deletes what is known of a segment's own traffic and services. Returns how many subjects and windows went. */
export async function forgetSegment(sql: Sql, segment: string): Promise<{ subjects: number; windows: number }> {
  const ids = `(SELECT id FROM baseline_subjects WHERE segment = ? AND kind IN ('service', 'segment'))`
  const windows = await sql.run(`DELETE FROM baseline_windows WHERE subject IN ${ids}`, segment)
  await sql.run(`DELETE FROM baseline_cells WHERE subject IN ${ids}`, segment)
  const subjects = await sql.run(
    "DELETE FROM baseline_subjects WHERE segment = ? AND kind IN ('service', 'segment')",
    segment,
  )
  for (const { agent, cidr } of await tellersOf(sql, segment)) {
    const streams = "stream_id IN (SELECT id FROM streams WHERE stream = 'features' AND agent = ?)"
    await emptyRecords(sql, `${streams} AND coalesce(${cidrOf('subject.')}, ${cidrOf('')}) = ?`, agent, cidr)
    await forgetDeadLetters(sql, agent, cidr)
  }
  return { subjects: subjects.changes, windows: windows.changes }
}

/** The same for one record that came late: of an appliance that was away when its segment was forgotten. */
export const forgetRecord = (sql: Sql, pos: number): Promise<void> => emptyRecords(sql, 'pos = ?', pos)

/** Who told of the segment, and by which network: its agents, and those that were removed and whose records are there still. */
const tellersOf = (sql: Sql, segment: string): Promise<{ agent: string; cidr: string }[]> =>
  sql.all(
    `SELECT agent, cidr FROM agent_segments WHERE segment = ? AND cidr IS NOT NULL
     UNION SELECT t.agent, s.cidr FROM streams t JOIN segments s ON s.id = ?
       WHERE t.stream = 'features' AND s.cidr IS NOT NULL AND t.agent NOT IN (SELECT id FROM agents)`,
    segment,
    segment,
  )

const cidrOf = (place: string): string => `json_extract(body, '$.${place}cidr')`

/**
 * Records lose what they told, and keep their places: positions and numbers run without gaps. What is left is a window of the
 * segment without a feature, or no pattern, which every reader takes and which says of nobody anything.
 */
async function emptyRecords(sql: Sql, which: string, ...values: (string | number)[]): Promise<void> {
  await sql.run(
    `UPDATE records SET body = json_set(body, '$.profile', json('{}'), '$.service', 'segment',
       '$.subject', json_object('kind', 'segment', 'cidr', ${cidrOf('subject.')}))
     WHERE ${which} AND json_extract(body, '$.subject.kind') IN ('service', 'segment')`,
    ...values,
  )
  await sql.run(
    `UPDATE records SET body = json_set(body, '$.patterns', json('[]'))
     WHERE ${which} AND json_extract(body, '$.type') = 'patterns'`,
    ...values,
  )
}

/** Lines that nobody could use may name it all the same; whole batches cannot be read, so they go with whatever is in them. */
const forgetDeadLetters = (sql: Sql, agent: string, cidr: string) =>
  sql.run(
    `DELETE FROM dead_letters WHERE agent = ? AND (topic = 'up/features'
       OR (topic LIKE 'up/features/%' OR topic LIKE 'record:%') AND instr(CAST(payload AS TEXT), ?) > 0)`,
    agent,
    `"cidr":"${cidr}"`,
  )
