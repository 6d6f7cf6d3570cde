import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'

/** A word that people group boxes by: a customer, a floor, a ring of updates. */
export const tag = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'a tag, as canary or floor-2')
export const mostTags = 32

/** Whose it is: a person's stays wherever the box goes, a place's goes when the box leaves the place. */
export type TagOrigin = 'person' | 'place'

export const tagsOf = async (sql: Sql, agent: string): Promise<string[]> =>
  (await sql.all<{ tag: string }>('SELECT tag FROM agent_tags WHERE agent = ? ORDER BY tag', agent)).map(
    ({ tag }) => tag,
  )

/** Tags of every agent that has some. */
export async function tagsOfAll(sql: Sql): Promise<Map<string, string[]>> {
  const rows = await sql.all<{ agent: string; tag: string }>('SELECT agent, tag FROM agent_tags ORDER BY tag')
  return new Map([...Map.groupBy(rows, ({ agent }) => agent)].map(([agent, own]) => [agent, own.map(({ tag }) => tag)]))
}

/** Adds and takes away; what is there or gone already is no error. Throws CONFLICT beyond `mostTags`. */
export async function changeTags(
  sql: Sql,
  agent: string,
  {
    add = [],
    remove = [],
    origin = 'person',
  }: { add?: readonly string[]; remove?: readonly string[]; origin?: TagOrigin },
): Promise<string[]> {
  for (const one of remove) await sql.run('DELETE FROM agent_tags WHERE agent = ? AND tag = ?', agent, one)
  for (const one of add)
    await sql.run(
      // What a person said once more is the person's.
      `INSERT INTO agent_tags (agent, tag, origin) VALUES (?, ?, ?)
       ON CONFLICT (agent, tag) DO UPDATE SET origin = CASE WHEN excluded.origin = 'person' THEN 'person' ELSE origin END`,
      agent,
      one,
      origin,
    )
  const tags = await tagsOf(sql, agent)
  if (tags.length > mostTags)
    throw new MarshlightError('CONFLICT', {
      what: `the box would have ${tags.length} tags, the most is ${mostTags}`,
      next: 'Take some away with `marshlight agents tag`.',
    })
  return tags
}

/** In place of the tags of the place where it was. */
export async function changePlaceTags(sql: Sql, agent: string, tags: readonly string[]): Promise<string[]> {
  await sql.run("DELETE FROM agent_tags WHERE agent = ? AND origin = 'place'", agent)
  return changeTags(sql, agent, { add: tags, origin: 'place' })
}
