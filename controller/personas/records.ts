import { type Persona, persona as personaSchema } from '../../shared/schemas/persona.ts'
import type { Sql } from '../store/port.ts'

export type PersonaSummary = {
  id: string
  version: number
  segment: string
  family: string
  hostname: string
  createdAt: string
  reason: string
}
type Row = {
  id: string
  version: number
  segment: string
  family: string
  hostname: string
  created_at: string
  reason: string
}

const toSummary = ({ created_at, ...row }: Row): PersonaSummary => ({ ...row, createdAt: created_at })
const columns = 'id, version, segment, family, hostname, created_at, reason'

export async function savePersona(
  sql: Sql,
  persona: Persona,
  { segment, reason, at }: { segment: string; reason: string; at: string },
): Promise<void> {
  await sql.run(
    'INSERT INTO personas (id, version, segment, family, hostname, body, created_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    persona.id,
    persona.version,
    segment,
    persona.family,
    persona.hostname,
    JSON.stringify(persona),
    at,
    reason.slice(0, 512),
  )
}

/** One version of a persona, or its newest. */
export async function readPersona(sql: Sql, id: string, version?: number): Promise<Persona | undefined> {
  const row = await sql.get<{ body: string }>(
    'SELECT body FROM personas WHERE id = ? AND (? = 0 OR version = ?) ORDER BY version DESC LIMIT 1',
    id,
    version ?? 0,
    version ?? 0,
  )
  return row && personaSchema.parse(JSON.parse(row.body))
}

/** The newest version of each persona, newest persona first. */
export async function listPersonas(sql: Sql): Promise<PersonaSummary[]> {
  const rows = await sql.all<Row>(
    `SELECT ${columns} FROM personas p WHERE version = (SELECT MAX(version) FROM personas q WHERE q.id = p.id) ORDER BY id DESC`,
  )
  return rows.map(toSummary)
}

/** All versions of one persona, oldest first. */
export async function versionsOf(sql: Sql, id: string): Promise<PersonaSummary[]> {
  return (await sql.all<Row>(`SELECT ${columns} FROM personas WHERE id = ? ORDER BY version`, id)).map(toSummary)
}
