import type { Random } from '../../shared/random.ts'
import type { Feature, Profile } from '../../shared/schemas/baseline.ts'
import type { Sql } from '../store/port.ts'
import { wholeWeek } from './hours.ts'
import { mergeProfiles } from './merge.ts'

/** Values that a cell keeps of a sample: an hour few, since there are many hours and seven or more of them are read at once. */
const mostOfHour = 48
const mostOfWeek = 512

export type Addition = { at: string; windows: number; profile: Profile }
type Row = { windows: number; first_at: string; last_at: string; counts: string; samples: string }

/** Merges what came into the cell of its hour and that of its week. */
export async function addToCells(
  sql: Sql,
  place: { subject: number; week: number; hour: number },
  additions: readonly Addition[],
  random: Random,
): Promise<void> {
  for (const [slot, most] of [
    [place.hour, mostOfHour],
    [wholeWeek, mostOfWeek],
  ] as const)
    await addTo(sql, { ...place, slot }, additions, random, most)
}

async function addTo(
  sql: Sql,
  { subject, week, slot }: { subject: number; week: number; slot: number },
  additions: readonly Addition[],
  random: Random,
  most: number,
): Promise<void> {
  const before = await sql.get<Row>(
    'SELECT windows, first_at, last_at, counts, samples FROM baseline_cells WHERE subject = ? AND week = ? AND slot = ?',
    subject,
    week,
    slot,
  )
  const parts = additions.map(({ profile }) => partsOf(profile))
  const added = { counts: parts.map((one) => one.counts), samples: parts.map((one) => one.samples) }
  const counts = mergeProfiles([...(before ? [JSON.parse(before.counts)] : []), ...added.counts], random, most)
  const hasSamples = added.samples.some((one) => Object.keys(one).length > 0)
  // Most windows of a decoy saw nobody: then the long column is neither read nor written.
  const samples = hasSamples
    ? JSON.stringify(mergeProfiles([...(before ? [JSON.parse(before.samples)] : []), ...added.samples], random, most))
    : (before?.samples ?? '{}')
  const times = [...additions.map(({ at }) => at), ...(before ? [before.first_at, before.last_at] : [])].sort()
  const windows = additions.reduce((sum, one) => sum + one.windows, before?.windows ?? 0)
  const fresh = [windows, times[0] as string, times.at(-1) as string, JSON.stringify(counts)] as const
  if (!before)
    await sql.run(
      `INSERT INTO baseline_cells (subject, week, slot, windows, first_at, last_at, counts, samples) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      subject,
      week,
      slot,
      ...fresh,
      samples,
    )
  else if (hasSamples)
    await sql.run(
      'UPDATE baseline_cells SET windows = ?, first_at = ?, last_at = ?, counts = ?, samples = ? WHERE subject = ? AND week = ? AND slot = ?',
      ...fresh,
      samples,
      subject,
      week,
      slot,
    )
  else
    await sql.run(
      'UPDATE baseline_cells SET windows = ?, first_at = ?, last_at = ?, counts = ? WHERE subject = ? AND week = ? AND slot = ?',
      ...fresh,
      subject,
      week,
      slot,
    )
}

function partsOf(profile: Profile): { counts: Profile; samples: Profile } {
  const entries = Object.entries(profile) as [string, Feature][]
  const of = (isSample: boolean) =>
    Object.fromEntries(entries.filter(([, feature]) => (feature.form === 'sample') === isSample)) as Profile
  return { counts: of(false), samples: of(true) }
}

/** What cells hold together. */
export type Held = { profile: Profile; windows: number; since: string | undefined; until: string | undefined }

/** The cells of subjects merged, of these slots and all weeks that are kept. */
export async function readCells(
  sql: Sql,
  subjects: readonly number[],
  slots: readonly number[],
  random: Random,
): Promise<Held> {
  const rows = await sql.all<Row>(
    `SELECT windows, first_at, last_at, counts, samples FROM baseline_cells
     WHERE subject IN (SELECT value FROM json_each(?)) AND slot IN (SELECT value FROM json_each(?)) ORDER BY subject, week, slot`,
    JSON.stringify(subjects),
    JSON.stringify(slots),
  )
  const profiles = rows.map(({ counts, samples }): Profile => ({ ...JSON.parse(counts), ...JSON.parse(samples) }))
  const times = rows.flatMap(({ first_at, last_at }) => [first_at, last_at]).sort()
  return {
    profile: mergeProfiles(profiles, random),
    windows: rows.reduce((sum, { windows }) => sum + windows, 0),
    since: times[0],
    until: times.at(-1),
  }
}
