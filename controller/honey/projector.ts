import { type RaiseDeps, raise } from '../alerts/index.ts'
import { noteBehaviour } from '../attackers/index.ts'
import { plantedAs } from '../personas/index.ts'
import { type Counted, firstSeen } from '../sessions/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector } from '../work/port.ts'

const longestName = 64

type Place = { hostname: string; ip: string; segment: string | null }

/**
 * Looks whether a log-in at a decoy is one that was planted in a file of a decoy. Its password opens nothing and stands
 * nowhere else, so whoever has it read that file. Runs after attackers and before risk, which weighs `honey.used`.
 */
export function makeHoneyProjector(deps: RaiseDeps): Projector<'events'> {
  return {
    name: 'honey',
    streams: ['events'],
    async project(sql, records) {
      const tries = records.filter(
        ({ record }) =>
          (record.kind === 'login.failed' || record.kind === 'login.success') && record.password !== undefined,
      )
      const raised: BusEvent[] = []
      if (tries.length === 0) return raised
      for (const counted of await firstSeen(sql, tries)) {
        const id = await look(sql, deps, counted)
        if (id !== undefined) raised.push({ name: 'alert', id })
      }
      return raised
    },
  }
}

async function look(sql: Sql, deps: RaiseDeps, counted: Counted): Promise<string | undefined> {
  const { record, receivedAt } = counted.stored
  const { source } = counted
  if (source === undefined || record.password === undefined) return undefined
  const [planted] = await plantedAs(sql, record.username ?? '', record.password)
  if (!planted) return undefined
  const [where, here] = [await placeOf(sql, 'persona', planted.persona), await placeOf(sql, 'id', record.decoy)]
  const name = (record.username ?? '').slice(0, longestName)
  const file = `${planted.path} of ${where?.hostname ?? 'a decoy that is gone'}`
  await noteBehaviour(sql, source, counted, { kind: 'honey.used', technique: 'T1078', detail: `${name}, from ${file}` })
  const alert = await raise(sql, deps, {
    kind: 'honey',
    subject: source,
    severity: 'critical',
    title: `${source} uses a log-in that was planted on ${where?.hostname ?? 'a decoy'}`,
    reasons: [
      `planted: ${planted.username} (${planted.service}) in ${file}${told(where)}, since ${planted.planted_at}`,
      `used: as ${name} at ${here?.hostname ?? record.decoy}${told(here)} by ${record.service}, ${
        record.kind === 'login.success' ? 'which let it in' : 'which refused it'
      }`,
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
