import { contains } from '../../shared/network.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import type { Sql } from '../store/port.ts'
import type { Projector, StoredRecord } from '../work/port.ts'
import { digestOf, emptyFacts, type SessionFacts, textOf, withEvent } from './fold.ts'

/**
 * Turns events into sessions.
 *
 *   record -> its session (made where new) -> session_events, once by digest -> facts of the session, folded
 */
export const makeSessionProjector = (ownLooks: OwnLooks): Projector<'events' | 'files'> => ({
  name: 'sessions',
  streams: ['events', 'files'],
  async project(sql, records) {
    const segments = await segmentFinder(sql)
    const times = records.flatMap(({ record, receivedAt }) => [record.at, receivedAt])
    const earliest = times.reduce((least, at) => (at < least ? at : least), '9')
    const isOurs = earliest === '9' ? () => undefined : await ownLooks(sql, earliest)
    const open = new Map<string, OpenSession>()
    for (const stored of records)
      if (stored.stream === 'events') await take(sql, stored, open, segments, isOurs)
      else await takeFile(sql, stored, open)
    for (const { id, facts, changed } of open.values()) if (changed) await write(sql, id, facts)
    return []
  },
})

/** Of a controller that orders no audits. */
export const sessionProjector = makeSessionProjector(async () => () => undefined)

type OwnLook = (event: {
  agent: string
  decoy: string
  ip: string
  port: number | undefined
  at: string
  receivedAt: string
}) => string | undefined
/** Whoever ordered audits tells which events are of one; from the earliest time on that is asked about. */
export type OwnLooks = (sql: Sql, earliest: string) => Promise<OwnLook>

type OpenSession = { id: number; facts: SessionFacts; changed: boolean }

async function take(
  sql: Sql,
  stored: StoredRecord<'events'>,
  open: Map<string, OpenSession>,
  segmentOf: SegmentOf,
  isOurs: OwnLook,
): Promise<void> {
  const { agent, receivedAt, record: event } = stored
  const session = event.session === undefined ? undefined : await sessionOf(sql, agent, event, event.session, open)
  const ip = event.src?.ip ?? session?.facts.source ?? undefined
  const port = event.src?.port ?? session?.facts.source_port ?? undefined
  const { decoy, at } = event
  const audit =
    session?.facts.audit ?? (ip === undefined ? undefined : isOurs({ agent, decoy, ip, port, at, receivedAt }))
  const { changes } = await sql.run(
    `INSERT INTO session_events (pos, digest, session, agent, decoy, at, received_at, kind, source, text, username, password, sha256, size, audit)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    stored.pos,
    digestOf(agent, event),
    session?.id ?? null,
    agent,
    event.decoy,
    event.at,
    receivedAt,
    event.kind,
    event.src?.ip ?? null,
    textOf(event),
    event.username ?? null,
    event.password ?? null,
    event.sha256 ?? null,
    event.size ?? null,
    audit ?? null,
  )
  if (changes === 0 || !session) return
  session.facts = withEvent(
    session.facts,
    event,
    segmentOf(agent, event.kind === 'forward.request' ? undefined : event.dst?.ip),
    { audit },
  )
  session.changed = true
}

/** A terminal log tells its session; the log itself is a blob. */
async function takeFile(
  sql: Sql,
  { agent, record }: StoredRecord<'files'>,
  open: Map<string, OpenSession>,
): Promise<void> {
  if (record.kind !== 'tty' || record.session === undefined) return
  const { id } = await sessionOf(sql, agent, { ...record, service: '' }, record.session, open)
  await sql.run('INSERT INTO session_ttys VALUES (?, ?, ?) ON CONFLICT DO NOTHING', id, record.sha256, record.at)
}

async function sessionOf(
  sql: Sql,
  agent: string,
  event: Pick<DecoyEvent, 'decoy' | 'service' | 'at'>,
  session: string,
  open: Map<string, OpenSession>,
): Promise<OpenSession> {
  const key = `${agent} ${event.decoy} ${session}`
  const known = open.get(key)
  if (known) return known
  const find = () =>
    sql.get<SessionFacts & { id: number }>(
      `SELECT id, ${columns.join(', ')} FROM sessions WHERE agent = ? AND decoy = ? AND session = ?`,
      agent,
      event.decoy,
      session,
    )
  let row = await find()
  if (!row) {
    const { service, first_at, last_at } = emptyFacts(event)
    await sql.run(
      'INSERT INTO sessions (agent, decoy, session, service, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)',
      agent,
      event.decoy,
      session,
      service,
      first_at,
      last_at,
    )
    row = await find()
  }
  if (!row) throw new Error('a session that was just made is not there')
  const { id, ...facts } = row
  const opened = { id, facts, changed: false }
  open.set(key, opened)
  return opened
}

const columns = Object.keys(emptyFacts({ service: '', at: '' })) as (keyof SessionFacts)[]

const writeSql = `UPDATE sessions SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`
const write = (sql: Sql, id: number, facts: SessionFacts) =>
  sql.run(writeSql, ...columns.map((column) => facts[column]), id)

type SegmentOf = (agent: string, ip: string | undefined) => string | undefined

/** Which segment of an agent an address of a decoy is in; an agent with a single segment needs no address to tell. */
export async function segmentFinder(sql: Sql): Promise<SegmentOf> {
  const rows = await sql.all<{ agent: string; segment: string; cidr: string | null }>(
    'SELECT agent, segment, cidr FROM agent_segments',
  )
  const byAgent = Map.groupBy(rows, ({ agent }) => agent)
  return (agent, ip) => {
    const own = byAgent.get(agent) ?? []
    const holding = ip === undefined ? undefined : own.find(({ cidr }) => cidr !== null && contains(cidr, ip))
    return holding?.segment ?? (own.length === 1 ? own[0]?.segment : undefined)
  }
}

/** An event that counts, with what its session tells of where it came from and where to. */
export type Counted = { stored: StoredRecord<'events'>; source?: string; segment?: string; port?: number }

/** The records that were the first to bring their event, and are of no audit of ours: what other rooms may count. */
export async function firstSeen(sql: Sql, records: readonly StoredRecord<'events'>[]): Promise<Counted[]> {
  const rows = await sql.all<{ pos: number; source: string | null; segment: string | null; dst_port: number | null }>(
    `SELECT e.pos, COALESCE(e.source, s.source) AS source, s.segment, s.dst_port
     FROM session_events e LEFT JOIN sessions s ON s.id = e.session WHERE e.pos IN (SELECT value FROM json_each(?)) AND e.audit IS NULL`,
    JSON.stringify(records.map(({ pos }) => pos)),
  )
  const byPos = new Map(rows.map((row) => [row.pos, row]))
  return records.flatMap((stored) => {
    const row = byPos.get(stored.pos)
    if (!row) return []
    const { source, segment, dst_port } = row
    return [{ stored, ...(source && { source }), ...(segment && { segment }), ...(dst_port && { port: dst_port }) }]
  })
}
