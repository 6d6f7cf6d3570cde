import type { Sql } from '../store/port.ts'

/**
 * When a segment is busy: a mean for each hour of the week, from Monday 00:00 UTC, of what was observed in it. Who reads it
 * knows the time zone.
 *
 *   segment_activity   amount / weight = the mean; both halve in four weeks, so that new habits win.
 *                      At most 168 rows for each source of a segment, one written for each observation.
 */

/** What is counted: hosts that answer a scan; flows, once they are recorded, say more and go first. */
export type ActivitySource = 'flows' | 'hosts'
const best: readonly ActivitySource[] = ['flows', 'hosts']

/** Means by hour of the week, null where nothing was observed. */
export type Week = readonly (number | null)[]

export const hoursOfWeek = 168
const hourMs = 3_600_000
const halfLifeMs = 28 * 24 * hourMs
/** 1970-01-05 was a Monday. */
const firstMonday = 4 * 24 * hourMs

type Cell = { slot: number; weight: number; amount: number; at: number }

export const slotOf = (at: number): number => Math.floor((at - firstMonday) / hourMs) % hoursOfWeek

/** A cell with one more observation, which may be older than the last. Pure. */
export function observed(cell: Cell | undefined, at: number, amount: number): Cell {
  if (!cell) return { slot: slotOf(at), weight: 1, amount, at }
  const newest = Math.max(cell.at, at)
  const [kept, added] = [faded(newest - cell.at), faded(newest - at)]
  return {
    slot: cell.slot,
    weight: cell.weight * kept + added,
    amount: cell.amount * kept + amount * added,
    at: newest,
  }
}

const faded = (ageMs: number) => 0.5 ** (ageMs / halfLifeMs)

/** Takes one observation in; within the caller's transaction. `at` in milliseconds since 1970. */
export async function noteActivity(
  sql: Sql,
  segment: string,
  source: ActivitySource,
  { at, amount }: { at: number; amount: number },
): Promise<void> {
  const known = await sql.get<Cell>(
    'SELECT slot, weight, amount, at FROM segment_activity WHERE segment = ? AND source = ? AND slot = ?',
    segment,
    source,
    slotOf(at),
  )
  const cell = observed(known, at, amount)
  await sql.run(
    `INSERT INTO segment_activity (segment, source, slot, weight, amount, at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (segment, source, slot) DO UPDATE SET weight = excluded.weight, amount = excluded.amount, at = excluded.at`,
    segment,
    source,
    cell.slot,
    cell.weight,
    cell.amount,
    cell.at,
  )
}

/** What is known of the segment's week, of the source that says most; undefined before anything was observed. */
export async function weekOf(sql: Sql, segment: string): Promise<Week | undefined> {
  const rows = await sql.all<Cell & { source: ActivitySource }>(
    'SELECT source, slot, weight, amount, at FROM segment_activity WHERE segment = ?',
    segment,
  )
  const source = best.find((one) => rows.some((row) => row.source === one))
  if (source === undefined) return undefined
  const week = new Array<number | null>(hoursOfWeek).fill(null)
  // Hundredths: what a persona was made from is kept with it.
  for (const row of rows) if (row.source === source) week[row.slot] = Math.round((row.amount / row.weight) * 100) / 100
  return week
}
