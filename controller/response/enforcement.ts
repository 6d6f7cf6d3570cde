import type { Projector } from '../work/port.ts'

/**
 * Notes where and since when a block is enforced: an agent says that it read revision R of its list back from the
 * kernel; what R held stands in the desired state. A revision that was superseded meanwhile is passed over: the agent
 * will tell of its successor, which holds the same blocks while they are in force.
 */
export const enforcementProjector: Projector<'state'> = {
  name: 'response.enforcement',
  streams: ['state'],
  async project(sql, records) {
    for (const { agent, record, receivedAt } of records) {
      if (record.type !== 'document' || record.document !== 'blocks' || record.outcome !== 'applied') continue
      const desired = await sql.get<{ body: string }>(
        `SELECT body FROM desired WHERE agent = ? AND kind = 'blocks' AND revision = ?`,
        agent,
        record.revision,
      )
      if (!desired) continue
      const { entries } = JSON.parse(desired.body) as { entries: { id: string }[] }
      const ids = JSON.stringify(entries.map(({ id }) => id))
      await sql.run(
        `INSERT INTO decision_enforcement (decision, agent, revision, decided_at, enforced_at, confirmed_at)
         SELECT id, ?, ?, made_at, ?, ? FROM decisions WHERE id IN (SELECT value FROM json_each(?)) ON CONFLICT DO NOTHING`,
        agent,
        record.revision,
        record.at,
        receivedAt,
        ids,
      )
      await sql.run(
        `UPDATE decision_enforcement SET lifted_at = ? WHERE agent = ? AND lifted_at IS NULL AND decision NOT IN (SELECT value FROM json_each(?))`,
        record.at,
        agent,
        ids,
      )
    }
    return []
  },
}
