import type { Hello } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'

/** What a box said of itself with its last hello, and which configuration it is held to. */
export type Told = {
  at: string
  planRevision: number
  blocksRevision: number
  config: string | null
  rightConfig: string | null
}

/** The first configuration that a box tells is taken for the right one; another is a deviation until somebody accepts it. */
export const noteTold = (sql: Sql, hello: Hello, at: string) =>
  sql.run(
    `INSERT INTO agent_told (agent, at, plan_revision, blocks_revision, config, right_config, key_held_by) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent) DO UPDATE SET at = excluded.at, plan_revision = excluded.plan_revision,
       blocks_revision = excluded.blocks_revision, config = COALESCE(excluded.config, config), key_held_by = excluded.key_held_by,
       right_config = COALESCE(right_config, excluded.right_config)`,
    hello.agent,
    at,
    hello.planRevision,
    hello.blocksRevision,
    hello.config ?? null,
    hello.config ?? null,
    hello.keyHeldBy ?? null,
  )

/** Who holds the key of this box, as it says: `tpm` or `file`; null where it never said. */
export const keyHeldBy = async (sql: Sql, agent: string): Promise<string | null> =>
  (await sql.get<{ by: string | null }>('SELECT key_held_by AS by FROM agent_told WHERE agent = ?', agent))?.by ?? null

export const acceptConfig = (sql: Sql, agent: string) =>
  sql.run('UPDATE agent_told SET right_config = config WHERE agent = ?', agent)

/** Another box has another configuration: what it tells first is right again. */
export const forgetTold = (sql: Sql, agent: string) => sql.run('DELETE FROM agent_told WHERE agent = ?', agent)

export async function toldOfAll(sql: Sql): Promise<Map<string, Told>> {
  const rows = await sql.all<Told & { agent: string }>(
    `SELECT agent, at, plan_revision AS planRevision, blocks_revision AS blocksRevision, config, right_config AS rightConfig
     FROM agent_told`,
  )
  return new Map(rows.map(({ agent, ...told }) => [agent, told]))
}
