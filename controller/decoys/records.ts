import type { DecoyPhase } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'

export type Origin = 'placement' | 'response' | 'admin'

export type Decoy = {
  id: string
  segment: string
  agent: string
  cidr: string
  ip: string
  mac: string
  hostname: string
  persona: string
  personaVersion: number
  status: 'wanted' | 'retired'
  origin: Origin
  createdAt: string
  changedAt: string
  reason: string
  retireAt?: string
  retiredAt?: string
  /** Addresses it had to leave. */
  tries: number
  /** Since when it is down because it was seen to be unsafe, and in what way. */
  condemned?: { at: string; why: string }
  /** How often an administrator let it come up again. */
  releases: number
  /** As its agent last told; absent until it did. */
  state?: {
    phase: DecoyPhase
    at: string
    ip?: string
    attempts: number
    restarts: number
    readyAt?: string
    reason?: string
    personaVersion?: number
  }
}

type Row = {
  id: string
  segment: string
  agent: string
  cidr: string
  ip: string
  mac: string
  hostname: string
  persona: string
  persona_version: number
  status: Decoy['status']
  origin: Origin
  created_at: string
  changed_at: string
  reason: string
  retire_at: string | null
  retired_at: string | null
  tries: number
  condemned_at: string | null
  condemned_why: string | null
  releases: number
  phase: DecoyPhase | null
  state_at: string | null
  state_ip: string | null
  attempts: number | null
  restarts: number | null
  ready_at: string | null
  state_reason: string | null
  state_version: number | null
}

const select = `SELECT d.id, d.segment, d.agent, d.cidr, d.ip, d.mac, d.hostname, d.persona, d.persona_version, d.status, d.origin, d.created_at, d.changed_at,
  d.reason, d.retire_at, d.retired_at, d.tries, d.condemned_at, d.condemned_why, d.releases, s.phase, s.at AS state_at, s.ip AS state_ip, s.attempts, s.restarts, s.ready_at,
  s.reason AS state_reason, s.persona_version AS state_version
  FROM decoys d LEFT JOIN decoy_states s ON s.decoy = d.id`

function toDecoy(row: Row): Decoy {
  return {
    id: row.id,
    segment: row.segment,
    agent: row.agent,
    cidr: row.cidr,
    ip: row.ip,
    mac: row.mac,
    hostname: row.hostname,
    persona: row.persona,
    personaVersion: row.persona_version,
    status: row.status,
    origin: row.origin,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    reason: row.reason,
    ...(row.retire_at !== null && { retireAt: row.retire_at }),
    ...(row.retired_at !== null && { retiredAt: row.retired_at }),
    tries: row.tries,
    ...(row.condemned_at !== null && { condemned: { at: row.condemned_at, why: row.condemned_why ?? '' } }),
    releases: row.releases,
    ...(row.phase !== null && {
      state: {
        phase: row.phase,
        at: row.state_at ?? '',
        ...(row.state_ip !== null && { ip: row.state_ip }),
        attempts: row.attempts ?? 0,
        restarts: row.restarts ?? 0,
        ...(row.ready_at !== null && { readyAt: row.ready_at }),
        ...(row.state_reason !== null && { reason: row.state_reason }),
        ...(row.state_version !== null && { personaVersion: row.state_version }),
      },
    }),
  }
}

/**
 * The phase at the address that it shall have now; what was told of an earlier address, or before it was released, is
 * passed over. What is condemned is so wherever it is.
 */
export function phaseOf({ ip, changedAt, condemned, state }: Decoy): DecoyPhase | undefined {
  if (condemned) return 'condemned'
  if (!state || state.phase === 'condemned') return undefined
  return (state.ip === undefined ? state.at > changedAt : state.ip === ip) ? state.phase : undefined
}

export async function readDecoy(sql: Sql, id: string): Promise<Decoy | undefined> {
  const row = await sql.get<Row>(`${select} WHERE d.id = ?`, id)
  return row && toDecoy(row)
}

/** Decoys that shall be; with `retired`, those that shall be no more as well. Newest first. */
export async function listDecoys(sql: Sql, { retired = false } = {}): Promise<Decoy[]> {
  const rows = await sql.all<Row>(`${select} WHERE d.status = 'wanted' OR ? = 1 ORDER BY d.id DESC`, retired ? 1 : 0)
  return rows.map(toDecoy)
}

export async function decoysOfSegment(sql: Sql, segment: string): Promise<Decoy[]> {
  return (await sql.all<Row>(`${select} WHERE d.segment = ? AND d.status = 'wanted' ORDER BY d.id`, segment)).map(
    toDecoy,
  )
}

export async function decoysOfAgent(sql: Sql, agent: string): Promise<Decoy[]> {
  return (await sql.all<Row>(`${select} WHERE d.agent = ? AND d.status = 'wanted' ORDER BY d.id`, agent)).map(toDecoy)
}

/** MACs of all decoys there ever were in the segment, and the addresses they have now: what is no host there. */
export async function decoyAddressesIn(sql: Sql, segment: string): Promise<{ macs: Set<string>; ips: Set<string> }> {
  const rows = await sql.all<{ mac: string; ip: string; status: string }>(
    'SELECT mac, ip, status FROM decoys WHERE segment = ?',
    segment,
  )
  return {
    macs: new Set(rows.map(({ mac }) => mac)),
    ips: new Set(rows.filter(({ status }) => status === 'wanted').map(({ ip }) => ip)),
  }
}

export type PhaseEntry = { at: string; phase: DecoyPhase; ip?: string; reason?: string }

export async function phasesOf(sql: Sql, decoy: string, limit = 100): Promise<PhaseEntry[]> {
  const rows = await sql.all<{ at: string; phase: DecoyPhase; ip: string | null; reason: string | null }>(
    'SELECT at, phase, ip, reason FROM decoy_phases WHERE decoy = ? ORDER BY id DESC LIMIT ?',
    decoy,
    limit,
  )
  return rows.reverse().map(({ at, phase, ip, reason }) => ({
    at,
    phase,
    ...(ip !== null && { ip }),
    ...(reason !== null && { reason }),
  }))
}

export type Action =
  | 'approve'
  | 'roll-back'
  | 'deploy'
  | 'reconfigure'
  | 'move'
  | 'readdress'
  | 'retire'
  | 'give-up'
  | 'release'
  | 'no-address'
export type ActionEntry = { at: string; action: Action; by: string; reason: string; what: string }

export async function actionsOf(sql: Sql, decoy: string): Promise<ActionEntry[]> {
  return sql.all<ActionEntry>(
    'SELECT at, action, by, reason, what FROM decoy_actions WHERE decoy = ? ORDER BY id',
    decoy,
  )
}

type NewAction = {
  at: string
  action: Action
  segment: string
  decoy?: string
  agent?: string
  by: Origin
  reason: string
  what: string
}

export async function writeAction(sql: Sql, one: NewAction): Promise<void> {
  await sql.run(
    'INSERT INTO decoy_actions (at, action, segment, decoy, agent, by, reason, what) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    one.at,
    one.action,
    one.segment,
    one.decoy ?? null,
    one.agent ?? null,
    one.by,
    one.reason.slice(0, 512),
    one.what.slice(0, 512),
  )
}
