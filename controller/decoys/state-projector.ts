import type { DecoyState } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'

/**
 * Stream `state` -> how each decoy is, with the history of its phases. A state counts only from the agent that the decoy
 * belongs to. A decoy that could not keep or get its address wakes placement. One that was seen to be unsafe is noted for
 * such, and its agent's plan says so from then on. With `peers`, plans name the decoys that answer: they change when one
 * begins or ends to.
 */
export function makeDecoyStateProjector({ peers = false } = {}): Projector<'state'> {
  return {
    name: 'decoys',
    streams: ['state'],
    async project(sql, records) {
      const wake = new Set<string>()
      const talking = new Set<string>()
      const condemning = new Set<string>()
      for (const { record, agent } of records) {
        if (record.type !== 'decoy') continue
        const decoy = await sql.get<{ segment: string }>(
          'SELECT segment FROM decoys WHERE id = ? AND agent = ?',
          record.decoy,
          agent,
        )
        if (!decoy) continue
        const changed = await take(sql, agent, record)
        if (record.phase === 'condemned' && (await condemn(sql, record))) condemning.add(agent)
        if (changed && (record.phase === 'withdrawn' || record.phase === 'rejected')) wake.add(decoy.segment)
        if (changed && peers) talking.add(decoy.segment)
      }
      const agents = [...new Set([...condemning, ...(await hostsIn(sql, [...talking]))])]
      return [
        ...[...wake].map((segment): BusEvent => ({ name: 'segment-changed', segment })),
        ...(agents.length > 0 ? [{ name: 'plan-changed', agents } satisfies BusEvent] : []),
      ]
    },
  }
}

/** Whether the phase changed. */
async function take(sql: Sql, agent: string, state: DecoyState): Promise<boolean> {
  const before = await sql.get<{ phase: string; ip: string | null; at: string }>(
    'SELECT phase, ip, at FROM decoy_states WHERE decoy = ?',
    state.decoy,
  )
  if (before && before.at > state.at) return false
  await sql.run(
    `INSERT INTO decoy_states (decoy, agent, at, phase, revision, ip, mac, persona_version, attempts, restarts, ready_at, reason)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (decoy) DO UPDATE SET agent = excluded.agent, at = excluded.at, phase = excluded.phase, revision = excluded.revision,
       ip = excluded.ip, mac = excluded.mac, persona_version = excluded.persona_version, attempts = excluded.attempts,
       restarts = excluded.restarts, ready_at = excluded.ready_at, reason = excluded.reason`,
    state.decoy,
    agent,
    state.at,
    state.phase,
    state.revision,
    state.ip ?? null,
    state.mac ?? null,
    state.personaVersion ?? null,
    state.attempts,
    state.restarts,
    state.readyAt ?? null,
    state.reason ?? null,
  )
  if (before?.phase === state.phase && before.ip === (state.ip ?? null)) return false
  await sql.run(
    'INSERT INTO decoy_phases (decoy, at, phase, ip, reason) VALUES (?, ?, ?, ?, ?)',
    state.decoy,
    state.at,
    state.phase,
    state.ip ?? null,
    state.reason ?? null,
  )
  return true
}

/** Whether it is news: not what was told before an administrator released it. */
async function condemn(
  sql: Sql,
  { decoy, at, reason = 'no reason given', releases = 0 }: DecoyState,
): Promise<boolean> {
  const { changes } = await sql.run(
    'UPDATE decoys SET condemned_at = ?, condemned_why = ? WHERE id = ? AND condemned_at IS NULL AND releases <= ?',
    at,
    reason,
    decoy,
    releases,
  )
  return changes > 0
}

/** Agents with decoys in these segments. */
async function hostsIn(sql: Sql, segments: readonly string[]): Promise<string[]> {
  const agents = new Set<string>()
  for (const segment of segments)
    for (const { agent } of await sql.all<{ agent: string }>(
      "SELECT DISTINCT agent FROM decoys WHERE segment = ? AND status = 'wanted' ORDER BY agent",
      segment,
    ))
      agents.add(agent)
  return [...agents]
}
