import { seededRandom } from '../../shared/random.ts'
import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { Sql } from '../store/port.ts'
import { type Held, readCells } from './cells.ts'
import { sameHourOfDay, wholeWeek } from './hours.ts'
import { placeOf } from './place.ts'
import { findSubject, keyOf, type Subject } from './subjects.ts'

/** How near to the hour that was asked for a feature is: that hour of the week, the same hour of each day, or all hours. */
export type Level = 'hour' | 'day' | 'all'

export type Known = {
  profile: Profile
  /** Windows that it rests on; each feature tells its own size. */
  n: number
  /** End of the oldest and of the newest window in it. */
  since?: string
  until?: string
  levels: Partial<Record<FeatureName, Level>>
}
/** `own`: the decoy's own behaviour; `service`: that of real services of the kind, of its segment or else of the fleet. */
export type Baseline = Known & { from: 'own' | 'service' | 'none' }

/** Observations, or windows of a decoy that nobody spoke to, from which a baseline is one. */
const enough = 20
const enoughOfHour = 40
const enoughSecondsOfHour = 4 * 3600

/**
 * How a decoy behaves on a port (without one: what it does by itself), as far as it was seen while no drift was in force;
 * by an hour of the week (`hourOfWeek`) where one is given and enough was seen in it, feature by feature.
 */
export async function baselineOf(
  sql: Sql,
  decoy: { decoy: string; port?: number | undefined },
  hour?: number,
): Promise<Baseline> {
  const own = await findSubject(sql, { kind: 'decoy', ...decoy })
  const known = own && (await knownOf(sql, [own.id], own.key, hour))
  if (known && isEnough(known)) return { ...known, from: 'own' }
  const place = decoy.port === undefined ? undefined : await placeOf(sql, decoy.decoy, decoy.port)
  const service = own?.service ?? place?.service
  if (place && service !== undefined)
    for (const segment of [place.segment, undefined]) {
      const found = await serviceBaseline(sql, service, segment, hour)
      if (isEnough(found)) return { ...found, from: 'service' }
    }
  return { profile: {}, n: 0, levels: {}, from: 'none' }
}

/** What is known of a subject itself, however little. */
export async function knownOfSubject(sql: Sql, subject: Subject, hour?: number): Promise<Known | undefined> {
  const row = await findSubject(sql, subject)
  return row && knownOf(sql, [row.id], row.key, hour)
}

/** Real services of a kind, of one segment or of all. */
async function serviceBaseline(sql: Sql, service: string, segment: string | undefined, hour?: number): Promise<Known> {
  const rows = await sql.all<{ id: number }>(
    `SELECT id FROM baseline_subjects WHERE kind = 'service' AND service = ? AND (? = '' OR segment = ?) ORDER BY id LIMIT 64`,
    service,
    segment ?? '',
    segment ?? '',
  )
  return knownOf(
    sql,
    rows.map(({ id }) => id),
    keyOf({ kind: 'service', segment: segment ?? '', service }),
    hour,
  )
}

/** The same rows give the same draw: `seed` is what is asked for. */
export async function knownOf(sql: Sql, subjects: readonly number[], seed: string, hour?: number): Promise<Known> {
  const random = seededRandom(seed)
  const all = await readCells(sql, subjects, [wholeWeek], random)
  if (hour === undefined) return toKnown(all, {})
  const near: Partial<Record<FeatureName, { level: Level; feature: Feature }>> = {}
  for (const [level, slots] of [
    ['hour', [hour]],
    ['day', sameHourOfDay(hour)],
  ] as const) {
    const { profile } = await readCells(sql, subjects, slots, random)
    for (const [name, feature] of Object.entries(profile) as [FeatureName, Feature][])
      if (isEnoughOfHour(feature)) near[name] ??= { level, feature }
  }
  return toKnown(all, near)
}

function toKnown(all: Held, near: Partial<Record<FeatureName, { level: Level; feature: Feature }>>): Known {
  const names = Object.keys(all.profile) as FeatureName[]
  return {
    profile: Object.fromEntries(names.map((name) => [name, near[name]?.feature ?? all.profile[name]])),
    levels: Object.fromEntries(names.map((name) => [name, near[name]?.level ?? 'all'])),
    n: all.windows,
    ...(all.since !== undefined && { since: all.since }),
    ...(all.until !== undefined && { until: all.until }),
  }
}

/** A decoy that nobody speaks to is known too: by how seldom that is. */
function isEnough({ profile, n }: Known): boolean {
  const delays = profile['response.delay']
  return n >= enough || (delays?.form === 'sample' && delays.n >= enough)
}

function isEnoughOfHour(feature: Feature): boolean {
  switch (feature.form) {
    case 'sample':
      return feature.n >= enoughOfHour
    case 'rate':
      return feature.seconds >= enoughSecondsOfHour
    case 'share':
      return feature.of >= enoughOfHour
    case 'mix':
      return Object.values(feature.counts).reduce((sum, count) => sum + count, 0) >= enoughOfHour
  }
}
