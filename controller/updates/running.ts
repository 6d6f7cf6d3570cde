import { type Running, running } from '../../shared/schemas/update.ts'
import type { Sql } from '../store/port.ts'

/** What a box runs, and when it said so. */
export type Runs = Running & { at: string }

type Row = { agent: string; at: string; body: string }
const toRuns = ({ at, body }: Row): Runs => ({ ...running.parse(JSON.parse(body)), at })

/** Undefined for a box that never said. */
export async function runningOf(sql: Sql, agent: string): Promise<Runs | undefined> {
  const row = await sql.get<Row>('SELECT agent, at, body FROM agent_running WHERE agent = ?', agent)
  return row && toRuns(row)
}

/** Of all boxes that said, by agent. */
export async function runningOfAll(sql: Sql): Promise<Map<string, Runs>> {
  const rows = await sql.all<Row>('SELECT agent, at, body FROM agent_running')
  return new Map(rows.map((row) => [row.agent, toRuns(row)]))
}

/** `at` is the controller's time: a box's own may be of 1970. */
export const noteRunning = (sql: Sql, agent: string, at: string, said: Running) =>
  sql.run(
    `INSERT INTO agent_running (agent, at, body) VALUES (?, ?, ?)
     ON CONFLICT (agent) DO UPDATE SET at = excluded.at, body = excluded.body`,
    agent,
    at,
    JSON.stringify(said),
  )
