import type { Sql, Store } from './port.ts'

/** What `retention` in the configuration names in days. */
export type AgeName = 'recordsDays' | 'historyDays' | 'enforcementDays'
export type Ages = Readonly<Record<AgeName, number>>

/**
 * Rows of a room's table that go by age: those for which `over`, an SQL condition, holds. Its `?` is the time before
 * which all is old. What is open or in force, or that somebody has yet to read, must not be in it. `key` names a row.
 */
export type AgedRows = { table: string; key: string; age: AgeName; over: string }

const stepRows = 500
const dayMs = 86_400_000

/** Deletes what is over, in small transactions so that ingest goes on between; the number of rows. */
export async function deleteAged(
  store: Store,
  rules: readonly AgedRows[],
  { ages, now, signal }: { ages: Ages; now: number; signal?: AbortSignal },
): Promise<number> {
  let deleted = 0
  for (const rule of rules) {
    const before = new Date(now - ages[rule.age] * dayMs).toISOString()
    for (let more = true; more && !signal?.aborted; ) {
      const changes = await store.tx((sql) => deleteSome(sql, rule, before))
      deleted += changes
      more = changes === stepRows
      if (more) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return deleted
}

async function deleteSome(sql: Sql, { table, key, over }: AgedRows, before: string): Promise<number> {
  const { changes } = await sql.run(
    `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${over} LIMIT ${stepRows})`,
    before,
  )
  return changes
}
