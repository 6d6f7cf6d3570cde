import { type Persona, persona as personaSchema } from '../../shared/schemas/persona.ts'
import type { Sql } from '../store/port.ts'
import { digestOf } from './digest.ts'
import type { Recipe } from './recipe.ts'

/** `waiting`: an administrator has to approve it before a decoy shows it. */
export type Approval = 'approved' | 'waiting'

export type PersonaSummary = {
  id: string
  version: number
  segment: string
  family: string
  hostname: string
  createdAt: string
  reason: string
  status: Approval
}
type Row = Omit<PersonaSummary, 'createdAt'> & { created_at: string }

const toSummary = ({ created_at, ...row }: Row): PersonaSummary => ({ ...row, createdAt: created_at })
const columns = 'id, version, segment, family, hostname, created_at, reason, status'

export async function savePersona(
  sql: Sql,
  persona: Persona,
  about: { segment: string; reason: string; at: string; status?: Approval; recipe?: Recipe },
): Promise<void> {
  const { segment, reason, at, status = 'approved', recipe } = about
  await sql.run(
    `INSERT INTO personas (id, version, segment, family, hostname, body, created_at, reason, status, recipe, digest)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    persona.id,
    persona.version,
    segment,
    persona.family,
    persona.hostname,
    JSON.stringify(persona),
    at,
    reason.slice(0, 512),
    status,
    recipe ? JSON.stringify(recipe) : null,
    digestOf(JSON.parse(JSON.stringify(persona))),
  )
  for (const { username, password, service, path } of persona.honey ?? [])
    await sql.run(
      `INSERT INTO persona_honey (persona, username, password, service, path, planted_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (persona, username, password, path) DO NOTHING`,
      persona.id,
      username,
      password,
      service,
      path,
      at,
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

export async function statusOf(sql: Sql, id: string, version: number): Promise<Approval | undefined> {
  const row = await sql.get<{ status: Approval }>(
    'SELECT status FROM personas WHERE id = ? AND version = ?',
    id,
    version,
  )
  return row?.status
}

export const setApproved = (sql: Sql, id: string, version: number) =>
  sql.run("UPDATE personas SET status = 'approved' WHERE id = ? AND version <= ?", id, version)

/** A log-in that stands in a file of a persona. */
export type Planted = {
  persona: string
  username: string
  password: string
  service: string
  path: string
  planted_at: string
}
const ofPlanted = 'persona, username, password, service, path, planted_at'

/** All of them, newest first. */
export const plantedNow = (sql: Sql) =>
  sql.all<Planted>(`SELECT ${ofPlanted} FROM persona_honey ORDER BY planted_at DESC, persona, path`)

/** Where a password that a decoy saw was planted: under that name first, newest first. */
export const plantedAs = (sql: Sql, username: string, password: string) =>
  sql.all<Planted>(
    `SELECT ${ofPlanted} FROM persona_honey WHERE password = ?
     ORDER BY CASE WHEN username = ? THEN 0 ELSE 1 END, planted_at DESC, persona`,
    password,
    username,
  )
