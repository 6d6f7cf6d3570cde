import { contains } from '../../shared/network.ts'
import { type Counted, firstSeen } from '../sessions/index.ts'
import type { Sql } from '../store/port.ts'
import type { Projector } from '../work/port.ts'
import { anotherOf, type Behaviour, behavioursOf, type Fact, factsOf } from './behaviour.ts'
import { type Classify, makeClassifier, shippedRules } from './classify-command.ts'
import { evidenceTime } from './evidence-time.ts'
import type { FoundBehaviour } from './queries.ts'

/** Distinct values kept of a source, of each kind: whoever tries 100,000 user names is known after these. */
const mostValues = 256
/** A value that was not seen for so long counts as new again. */
const forgottenAfterMs = 86_400_000

type Tally = { first: string; last: string; inside: boolean; counts: Record<CountColumn, number> }
const countColumns = ['events', 'sessions', 'tries', 'successes', 'commands', 'files'] as const
type CountColumn = (typeof countColumns)[number]

/**
 * Turns events into what is known of their sources: counts, distinct values, and behaviours for risk to weigh. Runs
 * after sessions, whose judgement of which events are new it follows.
 */
export function makeAttackerProjector(classify: Classify = makeClassifier(shippedRules())): Projector<'events'> {
  return {
    name: 'attackers',
    streams: ['events'],
    async project(sql, records) {
      const tallies = new Map<string, Tally>()
      const isInside = await insideTest(sql)
      for (const counted of await firstSeen(sql, records)) {
        if (counted.source === undefined) continue
        const inside = isInside(counted.source)
        tally(tallies, counted.source, counted, inside)
        const behaviours = behavioursOf(counted.stored.record, inside, classify)
        for (const fact of factsOf(counted.stored.record, counted)) {
          const another = anotherOf[fact.kind]
          if ((await note(sql, counted.source, fact, counted)) && another)
            behaviours.push({ kind: another, detail: fact.value })
        }
        for (const behaviour of behaviours) await noteBehaviour(sql, counted.source, counted, behaviour)
      }
      for (const [ip, one] of tallies) await write(sql, ip, one)
      return []
    },
  }
}

/** Keeps a fact; true when the source had others of its kind and this one is new. */
async function note(sql: Sql, source: string, { kind, value }: Fact, { stored }: Counted): Promise<boolean> {
  const at = new Date(evidenceTime(stored.record.at, stored.receivedAt)).toISOString()
  const known = await sql.get<{ first_at: string; last_at: string }>(
    'SELECT first_at, last_at FROM source_facts WHERE source = ? AND kind = ? AND value = ?',
    source,
    kind,
    value,
  )
  if (!known) {
    const held = await sql.get<{ n: number }>(
      'SELECT COUNT(*) AS n FROM source_facts WHERE source = ? AND kind = ?',
      source,
      kind,
    )
    const others = held?.n ?? 0
    if (others >= mostValues) return false
    await sql.run('INSERT INTO source_facts VALUES (?, ?, ?, ?, ?, 1)', source, kind, value, at, at)
    return others > 0
  }
  const [first = at, , last = at] = [known.first_at, at, known.last_at].sort()
  await sql.run(
    'UPDATE source_facts SET first_at = ?, last_at = ?, times = times + 1 WHERE source = ? AND kind = ? AND value = ?',
    first,
    last,
    source,
    kind,
    value,
  )
  return Date.parse(at) - Date.parse(known.last_at) > forgottenAfterMs
}

/** Keeps what a source did; a room that runs between this one and risk may add what it found. */
export const noteBehaviour = (sql: Sql, source: string, { stored, segment, port }: Counted, behaviour: Behaviour) =>
  writeBehaviour(sql, stored.pos, {
    source,
    kind: behaviour.kind,
    at: stored.record.at,
    received_at: stored.receivedAt,
    agent: stored.agent,
    decoy: stored.record.decoy,
    segment: segment ?? null,
    port: port ?? null,
    detail: behaviour.detail ?? null,
    technique: behaviour.technique ?? null,
  })

/** The same of what no single record told: at no record's position. Whoever adds it has risk weigh it in the same transaction. */
export const noteFound = (sql: Sql, row: FoundBehaviour) => writeBehaviour(sql, 0, row)

const writeBehaviour = (sql: Sql, pos: number, row: FoundBehaviour) =>
  sql.run(
    `INSERT INTO behaviours (pos, source, kind, at, received_at, agent, decoy, segment, port, detail, technique)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    pos,
    row.source,
    row.kind,
    row.at,
    row.received_at,
    row.agent,
    row.decoy,
    row.segment,
    row.port,
    row.detail,
    row.technique,
  )

function tally(tallies: Map<string, Tally>, ip: string, { stored }: Counted, inside: boolean): void {
  const { kind } = stored.record
  const at = new Date(evidenceTime(stored.record.at, stored.receivedAt)).toISOString()
  const one = tallies.get(ip) ?? {
    first: at,
    last: at,
    inside,
    counts: { events: 0, sessions: 0, tries: 0, successes: 0, commands: 0, files: 0 },
  }
  tallies.set(ip, one)
  if (at < one.first) one.first = at
  if (at > one.last) one.last = at
  one.counts.events += 1
  const column = columnOf(kind)
  if (column) one.counts[column] += 1
  if (kind === 'login.success') one.counts.tries += 1
}

function columnOf(kind: string): CountColumn | undefined {
  if (kind === 'session.open') return 'sessions'
  if (kind === 'login.failed') return 'tries'
  if (kind === 'login.success') return 'successes'
  if (kind === 'command' || kind === 'command.unknown') return 'commands'
  return kind === 'file.download' || kind === 'file.upload' ? 'files' : undefined
}

async function write(sql: Sql, ip: string, { first, last, inside, counts }: Tally): Promise<void> {
  await sql.run(
    `INSERT INTO sources (ip, first_seen, last_seen, inside, ${countColumns.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (ip) DO UPDATE SET inside = excluded.inside,
       first_seen = CASE WHEN excluded.first_seen < first_seen THEN excluded.first_seen ELSE first_seen END,
       last_seen = CASE WHEN excluded.last_seen > last_seen THEN excluded.last_seen ELSE last_seen END,
       ${countColumns.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`,
    ip,
    first,
    last,
    inside ? 1 : 0,
    ...countColumns.map((column) => counts[column]),
  )
}

/** Whether an address lies in a segment that an appliance watches: an attacker there is already in the house. */
async function insideTest(sql: Sql): Promise<(ip: string) => boolean> {
  const rows = await sql.all<{ cidr: string }>('SELECT DISTINCT cidr FROM agent_segments WHERE cidr IS NOT NULL')
  return (ip) => rows.some(({ cidr }) => contains(cidr, ip))
}
