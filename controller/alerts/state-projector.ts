import type { DecoyPhase, DecoyState, Notice } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import { type Cause, type RaiseDeps, raise, settle } from './alerts.ts'

/** Phases in which a decoy is away for a reason that is known; its time to be ready begins when it leaves them. */
const away: ReadonlySet<DecoyPhase> = new Set(['withdrawn', 'condemned', 'removed'])
const awayList = [...away].map((phase) => `'${phase}'`).join(', ')
/** What a phase of a decoy tells already, once and for as long as it lasts. */
const toldByPhase: ReadonlySet<string> = new Set(['DECOY_UNSAFE'])

/** Follows decoys between ready and not, and raises what agents report as errors, and decoys that were unsafe. */
export function makeStateProjector(deps: RaiseDeps): Projector<'state'> {
  return {
    name: 'alerts.state',
    streams: ['state'],
    async project(sql, records) {
      const events: BusEvent[] = []
      for (const { agent, record } of records) {
        if (record.type === 'decoy') events.push(...(await follow(sql, deps, agent, record)))
        if (record.type === 'decoy' && record.phase === 'condemned')
          events.push(...(await tell(sql, deps, agent, record)))
        if (record.type === 'notice' && record.level === 'error' && !toldByPhase.has(record.code)) {
          const named = await sql.get<{ name: string }>('SELECT name FROM agents WHERE id = ?', agent)
          const about = await subjectOf(sql, agent, record)
          const alert = await raise(sql, deps, causeOf(about, named?.name ?? agent, record))
          if (alert) events.push({ name: 'alert', id: alert.id })
        }
      }
      return events
    },
  }
}

async function follow(sql: Sql, { clock }: RaiseDeps, agent: string, state: DecoyState): Promise<BusEvent[]> {
  const wanted = await sql.get("SELECT 1 AS one FROM decoys WHERE id = ? AND status = 'wanted'", state.decoy)
  const isAway = away.has(state.phase)
  if (state.phase === 'removed' && !wanted)
    await sql.run('DELETE FROM alert_decoys WHERE decoy = ? AND agent = ?', state.decoy, agent)
  else
    await sql.run(
      `INSERT INTO alert_decoys (decoy, agent, phase, unready_since, reason) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (decoy) DO UPDATE SET agent = excluded.agent, phase = excluded.phase, reason = excluded.reason,
         unready_since = CASE WHEN excluded.unready_since IS NULL THEN NULL WHEN ? OR phase IN (${awayList}) THEN excluded.unready_since
           ELSE COALESCE(unready_since, excluded.unready_since) END`,
      state.decoy,
      agent,
      state.phase,
      state.phase === 'ready' ? null : new Date(clock.now()).toISOString(),
      state.reason ?? null,
      isAway ? 1 : 0,
    )
  if (state.phase !== 'ready' && !isAway) return []
  const why = state.phase === 'ready' ? 'it is ready again' : `it is ${state.phase}`
  const id = await settle(sql, clock, { kind: 'dead-decoy', subject: state.decoy, why })
  return id === undefined ? [] : [{ name: 'alert', id }]
}

/** The watch closes it when the decoy was released or retired. */
async function tell(sql: Sql, deps: RaiseDeps, agent: string, { decoy, at }: DecoyState): Promise<BusEvent[]> {
  const one = await sql.get<{ hostname: string; ip: string; why: string }>(
    `SELECT hostname, ip, condemned_why AS why FROM decoys WHERE id = ? AND agent = ? AND status = 'wanted' AND condemned_at IS NOT NULL`,
    decoy,
    agent,
  )
  if (!one) return []
  const alert = await raise(sql, deps, {
    kind: 'unsafe-decoy',
    subject: decoy,
    severity: 'critical',
    title: `decoy ${one.hostname} (${one.ip}) was taken down as unsafe`,
    reasons: [
      one.why,
      'it stays down, and nothing takes its place, whatever else changes',
      `next: mend the cause, then \`marshlight decoys release ${one.hostname}\`; or \`marshlight decoys retire ${one.hostname}\``,
    ],
    eventAt: at,
    lasting: true,
  })
  return alert ? [{ name: 'alert', id: alert.id }] : []
}

/** The decoy that a notice names, where it is the agent's own; else the agent. */
async function subjectOf(sql: Sql, agent: string, { data }: Notice): Promise<string> {
  if (typeof data?.decoy !== 'string') return agent
  const own = await sql.get('SELECT 1 AS one FROM decoys WHERE id = ? AND agent = ?', data.decoy, agent)
  return own ? data.decoy : agent
}

const causeOf = (about: string, name: string, { code, message, at }: Notice): Cause => ({
  kind: code === 'NO_FREE_ADDRESS' ? 'no-free-address' : 'notice',
  subject: code === 'NO_FREE_ADDRESS' ? about : `${about}/${code}`,
  severity: 'high',
  title: `agent ${name} reports ${code}`,
  reasons: [message],
  eventAt: at,
})
