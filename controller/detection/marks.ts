import { driftMark } from '../../shared/drift-mark.ts'
import { type DecoyDrift, decoyDrift, noDrift } from '../../shared/schemas/drift.ts'
import type { Sql } from '../store/port.ts'

/** Remembers what is in force, so that windows that come later can be read. */
export async function noteMark(sql: Sql, drift: DecoyDrift, at: string): Promise<void> {
  const mark = driftMark(drift)
  if (mark === 'none') return
  await sql.run(
    'INSERT INTO drift_marks (mark, drift, at) VALUES (?, ?, ?) ON CONFLICT (mark) DO UPDATE SET at = excluded.at',
    mark,
    JSON.stringify(drift),
    at,
  )
}

/** The drift that a mark names; undefined where nobody remembers it. */
export async function driftByMark(sql: Pick<Sql, 'get'>, mark: string): Promise<DecoyDrift | undefined> {
  if (mark === 'none') return noDrift
  const row = await sql.get<{ drift: string }>('SELECT drift FROM drift_marks WHERE mark = ?', mark)
  return row && decoyDrift.parse(JSON.parse(row.drift))
}
