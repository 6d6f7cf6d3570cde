import type { Sql } from '../store/port.ts'

/** What is kept of one, and how many of one agent; older ones give way, their count stays in `ingest_totals`. */
const keptBytes = 16_384
const keptPerAgent = 1000

export type DeadLetter = { agent: string; topic: string; why: string; payload: Uint8Array }

/** Keeps what could not be used, for an administrator to look at. Bounded in size and number. */
export async function keepDeadLetters(sql: Sql, letters: readonly DeadLetter[], now: string): Promise<void> {
  // Of a flood only the last would survive the limit below: the others need not be written first.
  const kept = letters.slice(-keptPerAgent)
  for (const { agent, topic, why, payload } of kept)
    await sql.run(
      'INSERT INTO dead_letters (agent, topic, at, why, size, payload) VALUES (?, ?, ?, ?, ?, ?)',
      agent,
      topic.slice(0, 256),
      now,
      why.slice(0, 512),
      payload.byteLength,
      payload.subarray(0, keptBytes),
    )
  for (const agent of new Set(kept.map((letter) => letter.agent)))
    await sql.run(
      `DELETE FROM dead_letters WHERE agent = ? AND id <=
         (SELECT id FROM dead_letters WHERE agent = ? ORDER BY id DESC LIMIT 1 OFFSET ${keptPerAgent})`,
      agent,
      agent,
    )
}
