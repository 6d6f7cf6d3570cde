import type { DecoyState, Notice } from '../../shared/schemas/state.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import { type Cause, type RaiseDeps, raise, settle } from './alerts.ts'

const gone = new Set(['withdrawn', 'removed'])

/** Follows decoys between ready and not, and raises what agents report as errors. */
export function makeStateProjector(deps: RaiseDeps): Projector<'state'> {
  return {
    name: 'alerts.state',
    streams: ['state'],
    async project(sql, records) {
      const events: BusEvent[] = []
      for (const { agent, record } of records) {
        if (record.type === 'decoy') events.push(...(await follow(sql, deps, agent, record)))
        if (record.type === 'notice' && record.level === 'error') {
          const named = await sql.get<{ name: string }>('SELECT name FROM agents WHERE id = ?', agent)
          const alert = await raise(sql, deps, causeOf(agent, named?.name ?? agent, record))
          if (alert) events.push({ name: 'alert', id: alert.id })
        }
      }
      return events
    },
  }
}

async function follow(sql: Sql, { clock }: RaiseDeps, agent: string, state: DecoyState): Promise<BusEvent[]> {
  if (gone.has(state.phase)) await sql.run('DELETE FROM alert_decoys WHERE decoy = ? AND agent = ?', state.decoy, agent)
  else
    await sql.run(
      `INSERT INTO alert_decoys (decoy, agent, phase, unready_since, reason) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (decoy) DO UPDATE SET agent = excluded.agent, phase = excluded.phase, reason = excluded.reason,
         unready_since = CASE WHEN excluded.unready_since IS NULL THEN NULL ELSE COALESCE(unready_since, excluded.unready_since) END`,
      state.decoy,
      agent,
      state.phase,
      state.phase === 'ready' ? null : new Date(clock.now()).toISOString(),
      state.reason ?? null,
    )
  if (state.phase !== 'ready' && !gone.has(state.phase)) return []
  const why = state.phase === 'ready' ? 'it is ready again' : `it is ${state.phase}`
  const id = await settle(sql, clock, { kind: 'dead-decoy', subject: state.decoy, why })
  return id === undefined ? [] : [{ name: 'alert', id }]
}

const causeOf = (agent: string, name: string, { code, message, at }: Notice): Cause => ({
  kind: code === 'NO_FREE_ADDRESS' ? 'no-free-address' : 'notice',
  subject: code === 'NO_FREE_ADDRESS' ? agent : `${agent}/${code}`,
  severity: 'high',
  title: `agent ${name} reports ${code}`,
  reasons: [message],
  eventAt: at,
})
