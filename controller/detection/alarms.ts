import { isoNow } from '../../shared/clock.ts'
import { type Alert, type RaiseDeps, raise, type Severity, settle } from '../alerts/index.ts'
import { type FoundBehaviour, noteFound } from '../attackers/index.ts'
import type { Cause } from '../drift/index.ts'
import type { RiskJudge } from '../risk/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent } from '../work/port.ts'
import type { Caused } from './scores.ts'

type AlarmDeps = RaiseDeps & { judgeRisk: RiskJudge }
type Place = { name: string; since: string }

const severityOf: Record<Cause['kind'], Severity> = {
  interference: 'high',
  network: 'warning',
  shortage: 'warning',
  unclear: 'warning',
}
/** Decoys that an alert of many names. */
const mostNamed = 8
const mostSources = 64

/**
 * What a round found, as alerts: one for a segment whose network is in trouble, one for an appliance that is short of
 * something, one for each decoy that moved alone or of which the cause is unclear. Each lasts until a round finds no more of it, or
 * its decoys are no longer wanted. Interference is evidence against whoever was at the decoy then, once an alert.
 */
export async function raiseAlarms(
  sql: Sql,
  deps: AlarmDeps,
  found: { standings: readonly Caused[]; since: string; alertScore: number },
): Promise<BusEvent[]> {
  const { standings, since, alertScore } = found
  const events: BusEvent[] = []
  const subjects = new Set<string>()
  const over = standings.filter(({ score, cause }) => score >= alertScore && cause !== undefined)
  for (const [subject, own] of Map.groupBy(over, subjectOf)) {
    subjects.add(subject)
    const name = await nameOf(sql, own)
    const words = await wordsFor(sql, own, name)
    events.push(...(await settleLesser(sql, deps, subject, words.severity)))
    const alert = await raise(sql, deps, { kind: 'drift', subject, lasting: true, ...words })
    if (!alert) continue
    events.push({ name: 'alert', id: alert.id })
    const first = own.find(({ cause, kind }) => cause === 'interference' && kind === 'decoy')
    if (first) events.push(...(await weigh(sql, deps, first, { name, since })))
  }
  return [...events, ...(await settleOthers(sql, deps, standings, subjects))]
}

const subjectOf = ({ cause, segment, appliance, decoy }: Caused): string =>
  cause === 'network' ? segment : cause === 'shortage' ? appliance : decoy

async function nameOf(sql: Sql, [first]: readonly Caused[]): Promise<string> {
  if (!first) return ''
  const [table, column] = {
    network: ['segments', 'name'],
    shortage: ['agents', 'name'],
    interference: ['decoys', 'hostname'],
    unclear: ['decoys', 'hostname'],
  }[first.cause ?? 'interference'] as [string, string]
  const row = await sql.get<{ name: string }>(`SELECT ${column} AS name FROM ${table} WHERE id = ?`, subjectOf(first))
  return row?.name ?? subjectOf(first)
}

async function wordsFor(
  sql: Sql,
  own: readonly Caused[],
  name: string,
): Promise<Pick<Alert, 'title' | 'reasons' | 'severity'> & { score: number }> {
  const worst = own.reduce((a, b) => (b.score > a.score ? b : a))
  const kind = worst.cause ?? 'interference'
  const shown = [...own].sort((a, b) => b.score - a.score).slice(0, mostNamed)
  const numbers = await Promise.all(
    shown.map(async (one) => {
      const row = await sql.get<{ hostname: string }>('SELECT hostname FROM decoys WHERE id = ?', one.decoy)
      return `${row?.hostname ?? one.decoy}${one.instance === undefined ? '' : `, mimicry ${one.instance}`}: ${numbersOf(one)}`
    }),
  )
  const title = {
    interference: `decoy ${name} behaves otherwise than expected, alone`,
    unclear: `decoy ${name} behaves otherwise than expected; why is unclear`,
    network: `decoys of segment ${name} are slower together: its network`,
    shortage: `decoys of ${name} are slower: the appliance is short of resources`,
  }[kind]
  const next = {
    interference: `See who was there with \`marshlight sessions ls --decoy ${worst.decoy}\`, what moved with \`marshlight drift explain ${worst.decoy}\`; another in its place comes with \`marshlight decoys retire ${worst.decoy}\`.`,
    unclear: `Nobody is blamed. See what moved with \`marshlight drift explain ${worst.decoy}\`, its segment’s other hosts, and the appliance with \`marshlight agents show\`.`,
    network: 'Look at the segment’s switches and uplink; the decoys need nothing.',
    shortage: 'See the appliance with `marshlight agents show`; give it fewer decoys or a larger machine.',
  }[kind]
  return {
    title,
    severity: severityOf[kind],
    score: worst.score,
    reasons: [...numbers, ...(worst.because ? [`${kind}: ${worst.because}`] : []), next],
  }
}

function numbersOf({ top, score }: Caused): string {
  if (!top) return `score ${score}`
  const where = `${top.service}${top.port === undefined ? '' : ` (port ${top.port})`}`
  return `${top.feature} of ${where}: ${top.words}; score ${score}, q ${Number(top.q.toPrecision(2))}, n ${top.n}`
}

/** Those who had sessions there in that time; audits and other decoys, which talk to each other, aside. */
async function weigh(
  sql: Sql,
  { clock, judgeRisk }: AlarmDeps,
  one: Caused,
  { name, since }: Place,
): Promise<BusEvent[]> {
  const rows = await sql.all<{ source: string; port: number | null; last_at: string }>(
    `SELECT source, MAX(dst_port) AS port, MAX(last_at) AS last_at FROM sessions
     WHERE decoy = ? AND last_at >= ? AND source IS NOT NULL AND audit IS NULL
       AND source NOT IN (SELECT ip FROM decoys) GROUP BY source ORDER BY last_at DESC LIMIT ${mostSources}`,
    one.decoy,
    one.since === undefined ? since : new Date(one.since).toISOString(),
  )
  const now = isoNow(clock)
  const found = rows.map(
    ({ source, port, last_at }): FoundBehaviour => ({
      source,
      kind: 'drift.interference',
      at: last_at < now ? last_at : now,
      received_at: now,
      agent: one.appliance,
      decoy: one.decoy,
      segment: one.segment,
      port,
      detail: `${name}, ${one.top?.feature ?? ''}: ${one.top?.words ?? ''}`.slice(0, 160),
      technique: null,
    }),
  )
  for (const behaviour of found) await noteFound(sql, behaviour)
  return judgeRisk(sql, found)
}

/** Where the cause becomes clear, the alert is another one, with its own words and its weight. */
async function settleLesser(sql: Sql, { clock }: AlarmDeps, subject: string, severity: Severity): Promise<BusEvent[]> {
  const lesser = await sql.get(
    `SELECT 1 AS one FROM alerts WHERE kind = 'drift' AND subject = ? AND status <> 'closed' AND severity = 'warning'`,
    subject,
  )
  if (!lesser || severity === 'warning') return []
  const id = await settle(sql, clock, { kind: 'drift', subject, why: 'its cause is clear now' })
  return id === undefined ? [] : [{ name: 'alert', id }]
}

/**
 * Alerts whose subject was looked at and that are not raised again, and those of subjects without any decoy that is wanted. What
 * could not be looked at stays as it is.
 */
async function settleOthers(
  sql: Sql,
  { clock }: AlarmDeps,
  standings: readonly Caused[],
  raised: ReadonlySet<string>,
): Promise<BusEvent[]> {
  const open = await sql.all<{ subject: string; wanted: number }>(
    `SELECT subject, EXISTS (SELECT 1 FROM decoys d WHERE d.status = 'wanted' AND a.subject IN (d.id, d.segment, d.agent)) AS wanted
     FROM alerts a WHERE kind = 'drift' AND status <> 'closed'`,
  )
  const looked = new Set(
    standings
      .filter(({ findings }) => findings.length > 0)
      .flatMap(({ decoy, segment, appliance }) => [decoy, segment, appliance]),
  )
  const events: BusEvent[] = []
  for (const { subject, wanted } of open) {
    if (raised.has(subject) || (wanted && !looked.has(subject))) continue
    const why = wanted ? 'a later look found no more of it' : 'it is no longer wanted'
    const id = await settle(sql, clock, { kind: 'drift', subject, why })
    if (id !== undefined) events.push({ name: 'alert', id })
  }
  return events
}
