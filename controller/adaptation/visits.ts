import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { engagementOf } from '../drift/bandit.ts'
import type { Sql } from '../store/port.ts'
import { type Assignment, assignmentOf } from './assignments.ts'
import { learnFrom } from './beliefs.ts'
import type { AdaptationPorts } from './ports.ts'

/** All that a source does at a decoy without a long pause, however many sessions that takes. */
export type Visit = {
  id: number
  assignment: number
  source: string
  decoy: string
  opened_at: string
  last_at: string
  seen_at: string
  looked_at: string | null
  terminal: number
  returned: number
  ended_at: string | null
  seconds: number | null
  engagement: number | null
  /** Service at which it began. */
  service: string
  /** Why nothing is learned from it and nobody compared by it. */
  left_out: LeftOut | null
} & Face &
  Deeds

/** What a decoy shows: its persona, and which version. A visit is of one face: another begins a visit of its own. */
export type Face = { persona: string; persona_version: number }
/** An administrator's drift was part of it; or what others did had given the decoy another face than the source knew. */
export type LeftOut = 'by-hand' | 'other-face'

/** Counts of what was done, as events tell it. */
export type Deeds = {
  sessions: number
  tries: number
  successes: number
  commands: number
  files: number
  /** Failures that drift injected, and how often drift of any type was felt. */
  errors: number
  felt: number
}
const deedNames = ['sessions', 'tries', 'successes', 'commands', 'files', 'errors', 'felt'] as const

export const noDeeds = (): Deeds => ({
  sessions: 0,
  tries: 0,
  successes: 0,
  commands: 0,
  files: 0,
  errors: 0,
  felt: 0,
})

/** As a decoy names the event that tells at a session's end what of its drift was felt. */
const feltSource = 'marshlight.drift'
export const isFelt = ({ source }: Pick<DecoyEvent, 'source'>): boolean => source === feltSource
/** Whether an event shows that somebody is there, so that it may begin a visit. */
export const isPresence = (event: DecoyEvent): boolean =>
  !isFelt(event) && event.kind !== 'session.close' && event.kind !== 'tty.closed' && event.kind !== 'other'
/** A terminal's size is told only by a client that has one. */
export const showsTerminal = ({ source }: Pick<DecoyEvent, 'source'>): boolean => source === 'cowrie.client.size'

export function countDeed(deeds: Deeds, event: DecoyEvent): void {
  const { kind } = event
  if (isFelt(event)) {
    const count = Math.min(1_000_000, Math.max(0, Math.trunc(Number(event.data?.count) || 0)))
    deeds.felt += count
    if (event.data?.type === 'error') deeds.errors += count
  } else if (kind === 'session.open') deeds.sessions += 1
  else if (kind === 'login.failed') deeds.tries += 1
  else if (kind === 'login.success') {
    deeds.tries += 1
    deeds.successes += 1
  }
  // A line that no program was found for is told twice, the first time as a command.
  else if (kind === 'command' || kind === 'request') deeds.commands += 1
  else if (kind === 'file.download' || kind === 'file.upload') deeds.files += 1
}

/** The last visit of a source at a decoy, ended or not. */
export const lastVisit = (sql: Sql, source: string, decoy: string): Promise<Visit | undefined> =>
  sql.get<Visit>(
    'SELECT * FROM adaptation_visits WHERE source = ? AND decoy = ? ORDER BY id DESC LIMIT 1',
    source,
    decoy,
  )

type Opening = {
  assignment: Assignment
  source: string
  decoy: string
  at: string
  seenAt: string
  idleMs: number
  service: string
  face: Face
}

/** Sessions that were open before a change go on with the face they had. */
export const isNewer = (face: Face, known: Face): boolean =>
  known.persona !== '' && (face.persona !== known.persona || face.persona_version > known.persona_version)

/** A return is a visit after a pause, while the same assignment stands: what came before was given by it. */
export async function openVisit(sql: Sql, opening: Opening): Promise<Visit> {
  const { assignment, source, decoy, at, seenAt, idleMs, service, face } = opening
  const before = await sql.get(
    'SELECT 1 AS one FROM adaptation_visits WHERE assignment = ? AND last_at <= ? LIMIT 1',
    assignment.id,
    new Date(Date.parse(at) - idleMs).toISOString(),
  )
  await sql.run(
    `INSERT INTO adaptation_visits (assignment, source, decoy, opened_at, last_at, seen_at, terminal, returned,
       ${deedNames.join(', ')}, service, persona, persona_version, left_out)
     VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, 0, 0, 0, 0, 0, ?, ?, ?, ?)`,
    assignment.id,
    source,
    decoy,
    at,
    at,
    seenAt,
    before ? 1 : 0,
    service,
    face.persona,
    face.persona_version,
    (await changedByOthers(sql, opening)) ? ('other-face' satisfies LeftOut) : null,
  )
  const made = await lastVisit(sql, source, decoy)
  if (!made) throw new Error('a visit that was just opened is not there')
  return made
}

/**
 * Whether the source met the decoy with another face before, under what it is assigned now, and not for what it did itself:
 * the next version of a persona is shown to all, the control group too, for what one of them did.
 */
async function changedByOthers(sql: Sql, { assignment, source, decoy, face }: Opening): Promise<boolean> {
  const other = await sql.get(
    `SELECT 1 AS one FROM adaptation_visits WHERE assignment = ? AND decoy = ? AND persona <> ''
     AND (persona <> ? OR persona_version <> ?) LIMIT 1`,
    ...[assignment.id, decoy, face.persona, face.persona_version],
  )
  if (!other) return false
  const own = await sql.get(
    "SELECT 1 AS one FROM adaptation_changes WHERE source = ? AND decoy = ? AND kind = 'persona' AND at >= ? LIMIT 1",
    ...[source, decoy, assignment.made_at],
  )
  return own === undefined
}

/** Adds what was done; times only of events that show somebody's presence. */
export const addDeeds = (
  sql: Sql,
  id: number,
  deeds: Deeds,
  { lastAt, seenAt, terminal }: { lastAt: string; seenAt: string; terminal: boolean },
) =>
  sql.run(
    `UPDATE adaptation_visits SET last_at = CASE WHEN ? > last_at THEN ? ELSE last_at END,
       seen_at = CASE WHEN ? > seen_at THEN ? ELSE seen_at END, terminal = CASE WHEN ? = 1 THEN 1 ELSE terminal END,
       ${deedNames.map((name) => `${name} = ${name} + ?`).join(', ')} WHERE id = ?`,
    lastAt,
    lastAt,
    seenAt,
    seenAt,
    terminal ? 1 : 0,
    ...deedNames.map((name) => deeds[name]),
    id,
  )

/**
 * Ends a visit and learns from it, once: by what its source had been assigned, whether or not that was felt, and
 * whatever its view became since (intention to treat). One that is left out says nothing, and ends without engagement.
 */
export async function endVisit(
  sql: Sql,
  visit: Visit,
  at: string,
  { wasSetByHand }: Pick<AdaptationPorts, 'wasSetByHand'>,
): Promise<void> {
  const { source, decoy, opened_at: from, last_at: to } = visit
  const leftOut = (await wasSetByHand(sql, { source, decoy, from, to })) ? 'by-hand' : visit.left_out
  if (leftOut !== null) {
    const end = 'UPDATE adaptation_visits SET ended_at = ?, left_out = ? WHERE id = ? AND ended_at IS NULL'
    await sql.run(end, at, leftOut, visit.id)
    return
  }
  const seconds = Math.max(0, Date.parse(visit.last_at) - Date.parse(visit.opened_at)) / 1000
  const { commands, files, returned } = visit
  const engagement = engagementOf({ seconds, commands, files, returned: returned === 1 })
  const { changes } = await sql.run(
    'UPDATE adaptation_visits SET ended_at = ?, seconds = ?, engagement = ? WHERE id = ? AND ended_at IS NULL',
    at,
    seconds,
    engagement,
    visit.id,
  )
  const assignment = changes === 1 ? await assignmentOf(sql, visit.assignment) : undefined
  if (!assignment) return
  await learnFrom(sql, { source, attackers: assignment.class, arm: assignment.arm, engagement })
}
