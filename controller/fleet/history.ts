import type { Sql } from '../store/port.ts'

export type AgentEvent = { agent: string; at: string; kind: string; detail: string }

const keptPerAgent = 300

/** Notes something in an agent's history. Bounded: the oldest give way. */
export async function noteEvent(sql: Sql, { agent, at, kind, detail }: AgentEvent): Promise<void> {
  await sql.run(
    'INSERT INTO agent_events (agent, at, kind, detail) VALUES (?, ?, ?, ?)',
    agent,
    at,
    kind,
    detail.slice(0, 512),
  )
  await sql.run(
    `DELETE FROM agent_events WHERE agent = ? AND id <=
       (SELECT id FROM agent_events WHERE agent = ? ORDER BY id DESC LIMIT 1 OFFSET ${keptPerAgent})`,
    agent,
    agent,
  )
}
