import type { Clock } from '../../shared/clock.ts'
import type { Alert } from '../alerts/index.ts'
import type { ControllerConfig } from '../config.ts'
import type { Sql } from '../store/port.ts'
import type { StoredRecord } from '../work/port.ts'

/** The rooms on the way from an attacker's event to an alert, by their own code. */
export type Way = {
  /** Has records weighed as anybody's; what their source scores then, and whether an exception kept all of it from counting. */
  weigh(
    sql: Sql,
    records: readonly StoredRecord<'events'>[],
    source: string,
  ): Promise<{ score: number; exempt: boolean }>
  /** Raises what alerts make of risk's crossings that were not taken yet. */
  raise(sql: Sql): Promise<Alert[]>
}

/**
 * `alone`: what this one touch scores; where that is too little, the same is weighed again until it is enough, as of an
 * attacker who goes on. `below`: it never was. `below`, `exempt`: by the rules that were set nobody would be told. `nothing`: somebody should have been, and why not.
 */
export type Rehearsal =
  | { came: 'alert'; alone: number; enough: boolean; reasons: string[] }
  | { came: 'below' | 'exempt'; score: number }
  | { came: 'nothing'; why: string }

type Deps = { clock: Clock; config: ControllerConfig; way: Way }

/** Crossings are taken as they come; one that waits for so long is not looked after. */
const crossingPatienceMs = 30_000
/** Tries after which a channel that takes nothing is not a hiccup. */
const channelTries = 3
/** Each time weighs all that was before once more: some 36 log-ins in the end. */
const mostTimes = 8

/**
 * What an attacker who did what a touch did would have come to: with the mark that it is ours taken off, its events are
 * weighed, its crossings taken, its alert raised and put in the channels' outbox, all by the code that does so for anybody;
 * then all of it is rolled back, so that nobody's risk changes and nobody is told. Of the channels themselves, what they last
 * did counts.
 */
export async function rehearse(sql: Sql, deps: Deps, touch: { id: string; ip: string }): Promise<Rehearsal> {
  const stuck = (await waitingCrossings(sql, deps)) ?? (await brokenChannel(sql, deps))
  if (stuck !== undefined) return { came: 'nothing', why: stuck }
  await sql.run('SAVEPOINT rehearsal')
  try {
    const records = await asAnybodys(sql, touch)
    if (records.length === 0)
      return { came: 'nothing', why: 'it was taken for somebody else’s: is the appliance’s clock right?' }
    const { score: alone, exempt } = await deps.way.weigh(sql, records, touch.ip)
    if (exempt) return { came: 'exempt', score: alone }
    const { alert: threshold } = deps.config.risk.thresholds
    let score = alone
    for (let time = 1; score > 0 && score < threshold && time < mostTimes; time++)
      score = (await deps.way.weigh(sql, records, touch.ip)).score
    if (score > 0 && score < threshold) return { came: 'below', score }
    const alert = (await deps.way.raise(sql)).find(({ kind, subject }) => kind === 'risk' && subject === touch.ip)
    if (!alert) return { came: 'nothing', why: `risk gave ${score}, alerts begin at ${threshold}, and none was raised` }
    const left = await channelsLeftOut(sql, deps, alert)
    if (left.length > 0) return { came: 'nothing', why: `the alert was not on its way to ${left.join(', ')}` }
    return { came: 'alert', alone, enough: alone >= threshold, reasons: alert.reasons }
  } finally {
    await sql.run('ROLLBACK TO rehearsal')
    await sql.run('RELEASE rehearsal')
  }
}

/** The touch's records, without their mark, of a source that nobody met before. */
async function asAnybodys(sql: Sql, { id, ip }: { id: string; ip: string }): Promise<StoredRecord<'events'>[]> {
  const rows = await sql.all<{ pos: number; agent: string; received_at: string; body: string }>(
    `SELECT r.pos, s.agent, r.received_at, r.body FROM records r JOIN streams s ON s.id = r.stream_id
     WHERE r.pos IN (SELECT pos FROM session_events WHERE audit = ?) ORDER BY r.pos`,
    id,
  )
  await sql.run('UPDATE session_events SET audit = NULL WHERE audit = ?', id)
  await sql.run('UPDATE sessions SET audit = NULL WHERE audit = ?', id)
  await sql.run('DELETE FROM risk_levels WHERE source = ?', ip)
  await sql.run('DELETE FROM risk_evidence WHERE source = ?', ip)
  await sql.run("UPDATE alerts SET status = 'closed' WHERE kind = 'risk' AND subject = ?", ip)
  return rows.map(({ pos, agent, received_at, body }) => ({
    pos,
    agent,
    stream: 'events',
    receivedAt: received_at,
    record: JSON.parse(body),
  }))
}

async function waitingCrossings(sql: Sql, { clock }: Deps): Promise<string | undefined> {
  const waiting = await sql.get<{ at: string | null }>(
    "SELECT MIN(at) AS at FROM risk_crossings WHERE id > COALESCE((SELECT pos FROM cursors WHERE worker = 'alerts'), 0)",
  )
  if (!waiting?.at || clock.now() - Date.parse(waiting.at) < crossingPatienceMs) return undefined
  return `nobody makes alerts of what crossed risk’s thresholds since ${waiting.at}`
}

/** The first channel whose last delivery failed again and again. */
async function brokenChannel(sql: Sql, { config }: Deps): Promise<string | undefined> {
  for (const { name } of config.alerts.webhooks) {
    const last = await sql.get<{ status: string; attempts: number; last_error: string | null }>(
      `SELECT status, attempts, last_error FROM alert_outbox WHERE channel = ? AND attempts > 0
       ORDER BY COALESCE(sent_at, next_at) DESC LIMIT 1`,
      name,
    )
    if (last && last.status !== 'sent' && last.attempts >= channelTries)
      return `the channel ${name} takes no alerts: ${last.last_error ?? 'no reason given'}`
  }
  return undefined
}

async function channelsLeftOut(sql: Sql, { config }: Deps, { id, score }: Alert): Promise<string[]> {
  const rows = await sql.all<{ channel: string }>('SELECT DISTINCT channel FROM alert_outbox WHERE alert = ?', id)
  const told = new Set(rows.map(({ channel }) => channel))
  return config.alerts.webhooks
    .filter(({ name, minScore }) => (score === null || score >= minScore) && !told.has(name))
    .map(({ name }) => name)
}
