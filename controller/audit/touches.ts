import { isoNow } from '../../shared/clock.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { type Alert, type RaiseDeps, raise, setStatus, settle } from '../alerts/index.ts'
import type { ControllerConfig } from '../config.ts'
import { readDecoy } from '../decoys/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import { type Rehearsal, rehearse, type Way } from './rehearsal.ts'
import { changeRun } from './runs.ts'

type Deps = RaiseDeps & { config: ControllerConfig }

/**
 * Follows test touches to where an attacker's would have become an alert. Runs last of all that read events, so that
 * its time holds all of theirs.
 *
 *   event with the name of a touch -> rehearsed as anybody's: risk, crossing, alert, outbox, and rolled back
 *     -> an alert: kept as one of kind `touch`, closed at once, shown to nobody unasked; its latency
 *     -> none, where the rules that were set want none: told so    -> none else: lost
 */
export function makeTouchProjector(deps: Deps, way: Way): Projector<'events'> {
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
        const outcome = await rehearse(sql, { ...deps, way }, run)
        const changed =
          outcome.came === 'nothing'
            ? await cameToNothing(sql, deps, run, outcome.why)
            : await touched(sql, deps, run, outcome, { eventAt: record.at, receivedAt })
        if (changed !== undefined) events.push({ name: 'alert', id: changed })
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
  outcome: Exclude<Rehearsal, { came: 'nothing' }>,
  times: { eventAt: string; receivedAt: string },
): Promise<string | undefined> {
  if (outcome.came === 'alert') await keep(sql, deps, run.decoy, outcome, times)
  const latency = Math.max(0, deps.clock.now() - Date.parse(times.eventAt))
  await changeRun(sql, run.id, {
    status: 'done',
    ended_at: isoNow(deps.clock),
    latency_ms: latency,
    outcome: outcome.came === 'alert' && !outcome.enough ? 'if-repeated' : outcome.came,
    ...(outcome.came === 'alert' &&
      !outcome.enough && { why: `risk gave ${outcome.alone}, too little for an alert; whoever goes on becomes one` }),
    ...(outcome.came === 'below' && { why: `risk gave ${outcome.score}, which is below the threshold of alerts` }),
    ...(outcome.came === 'exempt' && { why: 'an exception of risk covers whoever came from there' }),
  })
  return settle(sql, deps.clock, { kind: 'touch-lost', subject: run.decoy, why: 'a test touch came through' })
}

async function keep(
  sql: Sql,
  deps: RaiseDeps,
  subject: string,
  { alone, enough, reasons }: Extract<Rehearsal, { came: 'alert' }>,
  times: { eventAt: string; receivedAt: string },
): Promise<void> {
  const decoy = await readDecoy(sql, subject)
  const alert = await raise(sql, deps, {
    kind: 'touch',
    subject,
    severity: 'info',
    title: `test touch of ${decoy?.hostname ?? subject}`,
    reasons: [
      `an attacker who did so would have been told of, ${enough ? `with risk ${alone}` : `had it gone on: alone it has risk ${alone}`}`,
      // Of what was only made of it they would not be true.
      ...(enough ? reasons : []),
    ],
    ...times,
    quiet: true,
  })
  if (alert) await setStatus(sql, deps.clock, alert.id, 'closed', 'it was a test')
  // The last one is proof enough; a fleet touches itself some thousand times a day.
  await sql.run(`DELETE FROM alerts WHERE kind = 'touch' AND subject = ? AND id <> ?`, subject, alert?.id ?? '')
}

async function cameToNothing(
  sql: Sql,
  deps: RaiseDeps,
  run: { id: string; decoy: string },
  why: string,
): Promise<string | undefined> {
  await changeRun(sql, run.id, { status: 'failed', ended_at: isoNow(deps.clock), why: why.slice(0, 512) })
  return (await touchLost(sql, deps, run.decoy, why))?.id
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
