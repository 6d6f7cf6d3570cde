import { MarshlightError } from '../../shared/errors.ts'
import type { Hello } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'
import type { Role } from './claims.ts'

export type Agent = {
  id: string
  name: string
  roles: Role[]
  status: 'enrolled' | 'revoked'
  presence: 'online' | 'offline' | 'unknown'
  presenceAt: string | null
  lastSeen: string | null
  version: string | null
  hostname: string | null
  enrolledAt: string
  revokedAt: string | null
  certificateSerial: string | null
  certificateExpires: string | null
  segments: { id: string; name: string; site: string; cidr: string | null; address: string | null }[]
}

type Row = Record<string, string | null>

export async function listAgents(sql: Sql): Promise<Agent[]> {
  const rows = await sql.all<Row>('SELECT * FROM agents ORDER BY name')
  const places = await sql.all<Row>(
    `SELECT a.agent, s.id, s.name, t.name AS site, a.cidr, a.address FROM agent_segments a
     JOIN segments s ON s.id = a.segment JOIN sites t ON t.id = s.site ORDER BY s.name`,
  )
  return rows.map((row) =>
    toAgent(
      row,
      places.filter((place) => place.agent === row.id),
    ),
  )
}

/** The one agent that `what` names: its name, its id, or the start of its id. Throws NOT_FOUND or AMBIGUOUS. */
export async function findAgent(sql: Sql, what: string): Promise<Agent> {
  const agents = await listAgents(sql)
  const exact = agents.find(({ id, name }) => id === what || name === what)
  if (exact) return exact
  const matches = agents.filter(({ id }) => what.length >= 4 && (id.startsWith(what) || id.endsWith(what)))
  const [only] = matches
  if (!only) throw new MarshlightError('NOT_FOUND', { kind: 'agent', value: what, command: 'marshlight agents ls' })
  if (matches.length > 1)
    throw new MarshlightError('AMBIGUOUS', {
      kind: 'agent',
      value: what,
      matches: matches.map(({ name }) => name).join(', '),
    })
  return only
}

/**
 * How an agent, or a segment, stands in a command that people are to paste. A name may be what the box called itself or what
 * somebody wrote, so one that a shell could read as more than a name gives way to the id.
 */
export const typedName = ({ id, name }: { id: string; name: string }): string =>
  /^\w[\w.-]{0,62}$/.test(name) ? name : id

export async function insertAgent(
  sql: Sql,
  o: {
    id: string
    name: string
    roles: readonly Role[]
    segment: string
    hostname: string
    version: string
    serial: string
    expires: string
    now: string
  },
): Promise<void> {
  await sql.run(
    `INSERT INTO agents (id, name, roles, status, certificate_serial, certificate_expires, enrolled_at, version, hostname)
     VALUES (?, ?, ?, 'enrolled', ?, ?, ?, ?, ?)`,
    o.id,
    o.name,
    JSON.stringify(o.roles),
    o.serial,
    o.expires,
    o.now,
    o.version,
    o.hostname,
  )
  await sql.run('INSERT INTO agent_segments (agent, segment) VALUES (?, ?)', o.id, o.segment)
}

export const renewCertificate = (sql: Sql, agent: string, serial: string, expires: string) =>
  sql.run('UPDATE agents SET certificate_serial = ?, certificate_expires = ? WHERE id = ?', serial, expires, agent)

/** A name nobody has: `wanted`, or it with a number behind. */
export async function freeName(sql: Sql, wanted: string): Promise<string> {
  const taken = new Set((await sql.all<{ name: string }>('SELECT name FROM agents')).map(({ name }) => name))
  if (!taken.has(wanted)) return wanted
  for (let n = 2; ; n++) if (!taken.has(`${wanted}-${n}`)) return `${wanted}-${n}`
}

export const setPresence = (sql: Sql, agent: string, presence: 'online' | 'offline', at: string) =>
  sql.run('UPDATE agents SET presence = ?, presence_at = ?, last_seen = ? WHERE id = ?', presence, at, at, agent)

export const noteHello = (sql: Sql, hello: Hello, at: string) =>
  sql.run(
    'UPDATE agents SET version = ?, hostname = ?, last_seen = ? WHERE id = ?',
    hello.version,
    hello.hostname,
    at,
    hello.agent,
  )

export const revokeAgent = (sql: Sql, agent: string, at: string) =>
  sql.run("UPDATE agents SET status = 'revoked', revoked_at = ?, presence = 'offline' WHERE id = ?", at, agent)

export const renameAgent = (sql: Sql, agent: string, name: string) =>
  sql.run('UPDATE agents SET name = ? WHERE id = ?', name, agent)

const toAgent = (row: Row, places: readonly Row[]): Agent => ({
  id: String(row.id),
  name: String(row.name),
  roles: JSON.parse(String(row.roles)) as Role[],
  status: row.status as Agent['status'],
  presence: row.presence as Agent['presence'],
  presenceAt: row.presence_at ?? null,
  lastSeen: row.last_seen ?? null,
  version: row.version ?? null,
  hostname: row.hostname ?? null,
  enrolledAt: String(row.enrolled_at),
  revokedAt: row.revoked_at ?? null,
  certificateSerial: row.certificate_serial ?? null,
  certificateExpires: row.certificate_expires ?? null,
  segments: places.map((place) => ({
    id: String(place.id),
    name: String(place.name),
    site: String(place.site),
    cidr: place.cidr ?? null,
    address: place.address ?? null,
  })),
})
