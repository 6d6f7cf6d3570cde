import { seededRandom } from '../../shared/random.ts'
import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { Sql } from '../store/port.ts'
import { knownOf, type Level } from './baseline.ts'
import { readCells } from './cells.ts'
import { sameHourOfDay } from './hours.ts'
import { type Figures, figuresOf } from './intervals.ts'
import type { Subject } from './subjects.ts'

/** A subject as people name it. */
export type Listed = {
  key: string
  /** `office/ssh`, `office`, `files:22`, `files`, `files#0`. */
  name: string
  kind: Subject['kind']
  segment: string
  service: string
  windows: number
  since?: string
  lastAt: string
}
type Row = Omit<Listed, 'name' | 'since'> & {
  id: number
  hostname: string | null
  port: number | null
  instance: number | null
  since: string | null
}

/** All subjects, or those of a segment or of a service kind, by name. */
export async function listBaselines(
  sql: Sql,
  { segment, service }: { segment?: string | undefined; service?: string | undefined } = {},
): Promise<(Listed & { id: number })[]> {
  const rows = await sql.all<Row>(
    `SELECT s.id, s.key, s.kind, g.name AS segment, s.service, s.port, s.instance, d.hostname, s.last_at AS lastAt,
       COALESCE((SELECT SUM(windows) FROM baseline_cells c WHERE c.subject = s.id AND c.slot = -1), 0) AS windows,
       (SELECT MIN(first_at) FROM baseline_cells c WHERE c.subject = s.id AND c.slot = -1) AS since
     FROM baseline_subjects s JOIN segments g ON g.id = s.segment LEFT JOIN decoys d ON d.id = s.decoy
     WHERE (? = '' OR s.segment = ?) AND (? = '' OR s.service = ?) ORDER BY g.name, s.kind DESC, d.hostname, s.port, s.service`,
    segment ?? '',
    segment ?? '',
    service ?? '',
    service ?? '',
  )
  return rows.map(({ hostname, port, instance, since, ...row }) => ({
    ...row,
    name: nameOf({ ...row, hostname, port, instance }),
    ...(since !== null && { since }),
  }))
}

function nameOf(row: Pick<Row, 'kind' | 'segment' | 'service' | 'hostname' | 'port' | 'instance' | 'key'>): string {
  const host = row.hostname ?? row.key
  if (row.kind === 'service') return `${row.segment}/${row.service}`
  if (row.kind === 'segment') return row.segment
  if (row.kind === 'mimicry') return `${host}#${row.instance}`
  return row.port === null ? host : `${host}:${row.port}`
}

export type ShownFeature = Figures & {
  feature: FeatureName
  level: Level
  /** Median or rate by hour of the day in UTC, of all days; null where nothing was seen. Mixes have none. */
  byHour: (number | null)[]
}

/** What is known of a subject, in figures; of one hour of the week where it is given. */
export async function showBaseline(
  sql: Sql,
  { id, key }: { id: number; key: string },
  hour?: number,
): Promise<{ windows: number; since?: string; until?: string; features: ShownFeature[] }> {
  const { profile, n, levels, since, until } = await knownOf(sql, [id], key, hour)
  const random = seededRandom(key)
  const hours: Profile[] = []
  for (let one = 0; one < 24; one++) hours.push((await readCells(sql, [id], sameHourOfDay(one), random)).profile)
  const features = (Object.entries(profile) as [FeatureName, Feature][]).map(([feature, value]) => ({
    feature,
    level: levels[feature] ?? 'all',
    ...figuresOf(value),
    byHour: hours.map((one) => {
      const there = one[feature]
      return (there && figuresOf(there).typical) ?? null
    }),
  }))
  return { windows: n, ...(since !== undefined && { since }), ...(until !== undefined && { until }), features }
}
