import { isoNow } from '../../shared/clock.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { type Alert, type RaiseDeps, raise, setStatus, settle } from '../alerts/index.ts'
import { readDecoy } from '../decoys/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import { changeRun } from './runs.ts'

/**
 * Follows test touches to where an attacker's would have become an alert. Runs last of all that read events, so that
 * its time holds all of theirs.
 *
 *   event with the name of a touch -> the alert, raised as any, closed at once, shown to nobody unasked -> its latency
 */
export function makeTouchProjector(deps: RaiseDeps): Projector<'events'> {
  return {
    name: 'audit.touches',
    streams: ['events'],
    async project(sql, records) {
      const waiting = await sql.all<Waiting>(
        `SELECT id, decoy, agent, username, ip, port_from, port_to FROM audit_runs WHERE status = 'running' AND kind = 'touch'`,
      )
      const events: BusEvent[] = []
      for (const { record, agent, receivedAt } of waiting.length > 0 ? records : []) {
        const run = waiting.find((one) => one.decoy === record.decoy && one.agent === agent)
        if (!run || !proves(record, run)) continue
        waiting.splice(waiting.indexOf(run), 1)
        const closed = await touched(sql, deps, run, record.at, receivedAt)
        if (closed !== undefined) events.push({ name: 'alert', id: closed })
      }
      return events
    },
  }
}

type Waiting = {
  id: string
  decoy: string
  agent: string
  username: string
  ip: string
  port_from: number
  port_to: number
}

/** Its log-in, known by a name that nobody else has; of a service without log-ins, whatever came from its place. */
function proves({ username, src }: DecoyEvent, run: Waiting): boolean {
  if (run.username !== '') return username === run.username
  const port = src?.port
  return src?.ip === run.ip && port !== undefined && port >= run.port_from && port <= run.port_to
}

async function touched(
  sql: Sql,
  deps: RaiseDeps,
  run: { id: string; decoy: string },
  eventAt: string,
  receivedAt: string,
): Promise<string | undefined> {
  const decoy = await readDecoy(sql, run.decoy)
  const alert = await raise(sql, deps, {
    kind: 'touch',
    subject: run.decoy,
    severity: 'info',
    title: `test touch of ${decoy?.hostname ?? run.decoy}`,
    reasons: ['a connection that was ordered here came through as an event'],
    eventAt,
    receivedAt,
    quiet: true,
  })
  if (alert) await setStatus(sql, deps.clock, alert.id, 'closed', 'it was a test')
  // The last one is proof enough; a fleet touches itself some thousand times a day.
  await sql.run(`DELETE FROM alerts WHERE kind = 'touch' AND subject = ? AND id <> ?`, run.decoy, alert?.id ?? '')
  const latency = Math.max(0, deps.clock.now() - Date.parse(eventAt))
  await changeRun(sql, run.id, { status: 'done', ended_at: isoNow(deps.clock), latency_ms: latency })
  return settle(sql, deps.clock, { kind: 'touch-lost', subject: run.decoy, why: 'a test touch came through' })
}

/** A touch that came to nothing: whoever touches this decoy now would not be seen. */
export async function touchLost(sql: Sql, deps: RaiseDeps, id: string, why: string): Promise<Alert | undefined> {
  const decoy = await readDecoy(sql, id)
  if (!decoy || decoy.status === 'retired') return undefined
  return raise(sql, deps, {
    kind: 'touch-lost',
    subject: id,
    severity: 'high',
    title: `a test touch of ${decoy.hostname} (${decoy.ip}) raised no alert`,
    reasons: [why, 'a real attacker there might not be seen; see `marshlight decoys show`'],
    lasting: true,
  })
}
