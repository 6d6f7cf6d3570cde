import type { DocumentState } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'
import type { Projector, StoredRecord } from '../work/port.ts'

/**
 * Notes where and since when a block is enforced, and where it is not: an agent says what it read back from its kernel
 * of revision R of its list, and which entries it left out; what R held stands in the desired state. A revision that was
 * superseded meanwhile is passed over: the agent will tell of its successor, which holds the same blocks while they are
 * in force. A report whose figures do not add up to the list (more left out than it can name) enforces nothing.
 */
export const enforcementProjector: Projector<'state'> = {
  name: 'response.enforcement',
  streams: ['state'],
  async project(sql, records) {
    for (const stored of records) {
      const { agent, record } = stored
      // A list that was refused as a document has no count: what was in force before it still is.
      if (record.type !== 'document' || record.document !== 'blocks' || record.count === undefined) continue
      if (record.outcome !== 'applied' && record.outcome !== 'refused') continue
      const desired = await sql.get<{ body: string }>(
        `SELECT body FROM desired WHERE agent = ? AND kind = 'blocks' AND revision = ?`,
        agent,
        record.revision,
      )
      if (!desired) continue
      const { entries } = JSON.parse(desired.body) as { entries: { id: string }[] }
      await note(
        sql,
        stored,
        record,
        entries.map(({ id }) => id),
      )
    }
    return []
  },
}

async function note(
  sql: Sql,
  { agent, receivedAt }: StoredRecord<'state'>,
  { at, revision, count, refused = [], expired = [] }: DocumentState,
  listed: readonly string[],
): Promise<void> {
  const leftOut = new Set([...refused, ...expired])
  const rest = listed.filter((id) => !leftOut.has(id))
  const enforced = JSON.stringify(rest.length === count ? rest : [])
  await sql.run(
    `INSERT INTO decision_enforcement (decision, agent, revision, decided_at, enforced_at, confirmed_at)
     SELECT id, ?, ?, made_at, ?, ? FROM decisions WHERE id IN (SELECT value FROM json_each(?))
     ON CONFLICT (decision, agent) DO UPDATE SET lifted_at = NULL WHERE lifted_at IS NOT NULL`,
    agent,
    revision,
    at,
    receivedAt,
    enforced,
  )
  await sql.run(
    `UPDATE decision_enforcement SET lifted_at = ? WHERE agent = ? AND lifted_at IS NULL AND decision NOT IN (SELECT value FROM json_each(?))`,
    at,
    agent,
    enforced,
  )
  await sql.run('DELETE FROM decision_unenforced WHERE agent = ?', agent)
  // What is over by the controller's clock as well ended as it should.
  await sql.run(
    `INSERT INTO decision_unenforced (decision, agent, revision, why, told_at)
     SELECT id, ?, ?, CASE WHEN id IN (SELECT value FROM json_each(?)) THEN 'refused' ELSE 'expired' END, ? FROM decisions
     WHERE id IN (SELECT value FROM json_each(?)) AND status = 'active' AND expires_at > ?`,
    agent,
    revision,
    JSON.stringify(refused),
    receivedAt,
    JSON.stringify(listed.filter((id) => leftOut.has(id))),
    receivedAt,
  )
}
