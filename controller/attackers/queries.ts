import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'

export type Source = {
  ip: string
  first_seen: string
  last_seen: string
  inside: number
  events: number
  sessions: number
  tries: number
  successes: number
  commands: number
  files: number
}
export type BehaviourRow = {
  id: number
  pos: number
  source: string
  kind: string
  at: string
  received_at: string
  agent: string
  decoy: string
  segment: string | null
  port: number | null
  detail: string | null
  technique: string | null
}
/** What was found besides any record. */
export type FoundBehaviour = Omit<BehaviourRow, 'id' | 'pos'>

/** A source by its address. Throws NOT_FOUND. */
export async function findSource(sql: Sql, ip: string): Promise<Source> {
  const source = await sql.get<Source>('SELECT * FROM sources WHERE ip = ?', ip)
  if (!source) throw new MarshlightError('NOT_FOUND', { kind: 'source', value: ip, command: 'marshlight sources ls' })
  return source
}

/** What is distinct about a source, by kind, most frequent first, at most `limit` of each. */
export async function factsOfSource(sql: Sql, ip: string, limit = 20): Promise<Record<string, string[]>> {
  const rows = await sql.all<{ kind: string; value: string }>(
    'SELECT kind, value FROM source_facts WHERE source = ? ORDER BY kind, times DESC, value',
    ip,
  )
  const byKind = Map.groupBy(rows, ({ kind }) => kind)
  return Object.fromEntries(
    [...byKind].map(([kind, values]) => [kind, values.slice(0, limit).map(({ value }) => value)]),
  )
}

/** ATT&CK techniques a source showed, most frequent first. */
export const techniquesOf = (sql: Sql, ip: string): Promise<{ technique: string; times: number; last_at: string }[]> =>
  sql.all(
    `SELECT technique, COUNT(*) AS times, MAX(at) AS last_at FROM behaviours WHERE source = ? AND technique IS NOT NULL
     GROUP BY technique ORDER BY times DESC, technique`,
    ip,
  )

/** Behaviours that these records told, in order of commit. */
export const behavioursAt = (sql: Sql, positions: readonly number[]): Promise<BehaviourRow[]> =>
  sql.all<BehaviourRow>(
    'SELECT * FROM behaviours WHERE pos IN (SELECT value FROM json_each(?)) ORDER BY id',
    JSON.stringify(positions),
  )

/** Removes behaviours received before `before`; counts and distinct values stay. */
export async function pruneBehaviours(sql: Sql, before: string): Promise<number> {
  return (await sql.run('DELETE FROM behaviours WHERE received_at < ?', before)).changes
}
