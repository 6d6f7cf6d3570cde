import { type RaiseDeps, raise } from '../alerts/index.ts'
import { noteBehaviour } from '../attackers/index.ts'
import type { Deps } from '../deps.ts'
import { type Planted, plantedAs, plantedNow } from '../personas/index.ts'
import { type Counted, firstSeen } from '../sessions/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'
import { makeSearch, type Search } from './candidates.ts'
import { type Trace, traceOf, usedBy } from './seen.ts'

const longestName = 64
/** Of computations for answers in one batch of records: some 200 ms on a slow core. */
const budgetOfBatch = 20_000

type Place = { hostname: string; ip: string; segment: string | null }
type HoneyDeps = RaiseDeps & Pick<Deps, 'log'>

/**
 * Looks whether a log-in, an answer to a challenge or a typed line at a decoy bears a password that was planted in a file
 * of a decoy. It opens nothing and stands nowhere else, so whoever has it read that file. Runs after attackers and before
 * risk, which weighs `honey.used`.
 */
export function makeHoneyProjector(deps: HoneyDeps): Projector<'events'> {
  return {
    name: 'honey',
    streams: ['events'],
    async project(sql, records) {
      const traces = new Map<number, Trace>()
      for (const { pos, record } of records) {
        const trace = traceOf(record)
        if (trace) traces.set(pos, trace)
      }
      const raised: BusEvent[] = []
      if (traces.size === 0) return raised
      const unsaid = [...traces.values()].some(({ kind }) => kind !== 'said')
      const search = makeSearch(unsaid ? await plantedNow(sql) : [], budgetOfBatch)
      for (const counted of await firstSeen(
        sql,
        records.filter(({ pos }) => traces.has(pos)),
      )) {
        const trace = traces.get(counted.stored.pos)
        const planted = trace && (await plantedFor(sql, trace, counted, search))
        if (!trace || !planted) continue
        const id = await tell(sql, deps, counted, planted, trace)
        if (id !== undefined) raised.push({ name: 'alert', id })
      }
      if (search.leftOut > 0)
        deps.log.warn({ leftOut: search.leftOut }, 'too many answers at once: not held against every planted password')
      return raised
    },
  }
}

const plantedFor = async (sql: Sql, trace: Trace, { stored }: Counted, search: Search): Promise<Planted | undefined> =>
  trace.kind === 'said' ? (await plantedAs(sql, stored.record.username ?? '', trace.password))[0] : trace.find(search)

async function tell(
  sql: Sql,
  deps: HoneyDeps,
  counted: Counted,
  planted: Planted,
  trace: Trace,
): Promise<string | undefined> {
  const { record, receivedAt } = counted.stored
  const { source } = counted
  if (source === undefined) return undefined
  const [where, here] = [await placeOf(sql, 'persona', planted.persona), await placeOf(sql, 'id', record.decoy)]
  const name = (trace.kind === 'written' ? planted.username : (record.username ?? '')).slice(0, longestName)
  const file = `${planted.path} of ${where?.hostname ?? 'a decoy that is gone'}`
  await noteBehaviour(sql, source, counted, { kind: 'honey.used', technique: 'T1078', detail: `${name}, from ${file}` })
  const alert = await raise(sql, deps, {
    kind: 'honey',
    subject: source,
    severity: 'critical',
    title: `${source} uses a log-in that was planted on ${where?.hostname ?? 'a decoy'}`,
    reasons: [
      `planted: ${planted.username} (${planted.service}) in ${file}${told(where)}, since ${planted.planted_at}`,
      `used: as ${name} at ${here?.hostname ?? record.decoy}${told(here)} ${usedBy(trace, record)}`,
      `by: ${source}, which read that file or was given what stands in it`,
    ],
    eventAt: record.at,
    receivedAt,
  })
  return alert?.id
}

/** The newest decoy that has or had it. */
const placeOf = (sql: Sql, column: 'id' | 'persona', value: string): Promise<Place | undefined> =>
  sql.get<Place>(
    `SELECT d.hostname, d.ip, s.name AS segment FROM decoys d LEFT JOIN segments s ON s.id = d.segment
     WHERE d.${column} = ? ORDER BY d.created_at DESC`,
    value,
  )

const told = (place: Place | undefined): string =>
  place ? ` (${[place.ip, place.segment].filter(Boolean).join(', ')})` : ''
