import { notice } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'

/** What agents last said of themselves: health, and what became of their documents. */
export const standingProjector: Projector<'state' | 'health'> = {
  name: 'fleet.standing',
  streams: ['state', 'health'],
  async project(sql, records) {
    const events: BusEvent[] = []
    const healthOf = new Map<string, { at: string; body: string }>()
    for (const { agent, stream, record } of records) {
      if (stream === 'health') healthOf.set(agent, { at: record.at, body: JSON.stringify(record) })
      else if (record.type === 'document') {
        const { document, revision, outcome } = record
        await keepDocument(sql, agent, record)
        events.push({ name: 'document-state', agent, document, revision, outcome })
      }
    }
    for (const [agent, { at, body }] of healthOf)
      await sql.run(
        `INSERT INTO agent_health (agent, at, body) VALUES (?, ?, ?)
         ON CONFLICT (agent) DO UPDATE SET at = excluded.at, body = excluded.body`,
        agent,
        at,
        body,
      )
    return events
  },
}

type Said = { document: string; revision: number; outcome: string; at: string } & {
  count?: number | undefined
  code?: string | undefined
  reason?: string | undefined
}

const keepDocument = (sql: Sql, agent: string, said: Said) =>
  sql.run(
    `INSERT INTO document_standing (agent, document, revision, outcome, at, count, code, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent, document) DO UPDATE SET revision = excluded.revision, outcome = excluded.outcome, at = excluded.at,
       count = excluded.count, code = excluded.code, reason = excluded.reason`,
    agent,
    said.document,
    said.revision,
    said.outcome,
    said.at,
    said.count ?? null,
    said.code ?? null,
    said.reason ?? null,
  )

export type LastWord = { at: string; level: string; code: string; message: string }

/** How far back is looked for them: an agent with many decoys tells of those in between. */
const looked = 500

/** What an agent last had to say to people, newest first. */
export async function lastWords(sql: Sql, agent: string, most: number): Promise<LastWord[]> {
  const rows = await sql.all<{ body: string }>(
    `SELECT body FROM (SELECT body, number FROM records
       WHERE stream_id = (SELECT MAX(id) FROM streams WHERE agent = ? AND stream = 'state') ORDER BY number DESC LIMIT ${looked})
     WHERE json_extract(body, '$.type') = 'notice' ORDER BY number DESC LIMIT ?`,
    agent,
    most,
  )
  return rows.map(({ body }) => notice.parse(JSON.parse(body)))
}
