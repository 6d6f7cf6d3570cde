import { canonicalCidr } from '../../shared/network.ts'
import type { DecoyPhase } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'
import type { Situation } from './decide.ts'
import { type Decoy, decoysOfSegment, phaseOf } from './records.ts'

const hourMs = 3_600_000

/** How things stand in each segment that has a known network. */
export async function situations(sql: Sql, now: number): Promise<Situation[]> {
  const segments = await sql.all<{ id: string; name: string }>(
    'SELECT id, name FROM segments WHERE cidr IS NOT NULL ORDER BY id',
  )
  const found: Situation[] = []
  for (const segment of segments) found.push(await situationOf(sql, segment, now))
  return found
}

async function situationOf(sql: Sql, { id, name }: { id: string; name: string }, now: number): Promise<Situation> {
  const agents = await agentsFor(sql, id)
  const scans = await sql.all<{ phase: string; done: string }>(
    "SELECT phase, MIN(received_at) AS done FROM scans WHERE segment = ? AND outcome = 'done' GROUP BY phase",
    id,
  )
  const done = (phase: string) => {
    const at = scans.find((scan) => scan.phase === phase)?.done
    return at === undefined ? undefined : Date.parse(at)
  }
  const [quickDone, detailDone] = [done('quick'), done('detail')]
  const revoked = new Set(
    (await sql.all<{ id: string }>("SELECT id FROM agents WHERE status <> 'enrolled'")).map((agent) => agent.id),
  )
  const past = await sql.get<{ given_up: number; no_address: string | null }>(
    `SELECT (SELECT COUNT(*) FROM decoy_actions WHERE segment = ? AND action = 'give-up' AND at > ?) AS given_up,
       (SELECT MAX(at) FROM decoy_actions WHERE segment = ? AND action = 'no-address') AS no_address`,
    id,
    new Date(now - hourMs).toISOString(),
    id,
  )
  return {
    segment: id,
    name,
    agents,
    // A detail pass looks for hosts first, so it stands for a quick one too.
    ...((quickDone ?? detailDone) !== undefined && { quickDone: quickDone ?? (detailDone as number) }),
    ...(detailDone !== undefined && { detailDone }),
    decoys: (await decoysOfSegment(sql, id)).map((decoy) => ({
      id: decoy.id,
      hostname: decoy.hostname,
      origin: decoy.origin,
      agentRevoked: revoked.has(decoy.agent),
      ...phaseWords(decoy),
      tries: decoy.tries,
      createdAt: Date.parse(decoy.createdAt),
      ...(decoy.retireAt !== undefined && { retireAt: Date.parse(decoy.retireAt) }),
    })),
    givenUp: past?.given_up ?? 0,
    ...(typeof past?.no_address === 'string' && { noAddressAt: Date.parse(past.no_address) }),
  }
}

function phaseWords(decoy: Decoy): { phase?: DecoyPhase; phaseReason?: string } {
  const phase = phaseOf(decoy)
  if (phase === undefined) return {}
  if (decoy.condemned) return { phase, phaseReason: decoy.condemned.why }
  return { phase, ...(decoy.state?.reason !== undefined && { phaseReason: decoy.state.reason }) }
}

/** Appliances that can take a decoy of the segment now, with how many they have. */
export async function agentsFor(sql: Sql, segment: string): Promise<{ id: string; decoys: number; cidr: string }[]> {
  const rows = await sql.all<{ id: string; roles: string; cidr: string; decoys: number }>(
    `SELECT a.id, a.roles, x.cidr, (SELECT COUNT(*) FROM decoys d WHERE d.agent = a.id AND d.status = 'wanted') AS decoys
     FROM agent_segments x JOIN agents a ON a.id = x.agent
     WHERE x.segment = ? AND x.cidr IS NOT NULL AND a.status = 'enrolled' AND a.presence = 'online' ORDER BY a.id`,
    segment,
  )
  return rows
    .filter(({ roles }) => (JSON.parse(roles) as string[]).includes('decoys'))
    .map(({ id, decoys, cidr }) => ({ id, decoys, cidr: canonicalCidr(cidr) }))
}
