import { markMet } from '../../shared/drift-mark.ts'
import { type Drift, decoyDrift } from '../../shared/schemas/drift.ts'
import type { Sql } from '../store/port.ts'

/** Remembers a drift that is met, so that windows that come later can be read. */
export async function noteMark(sql: Sql, drift: Drift | null, at: string): Promise<void> {
  if (drift === null) return
  await sql.run(
    'INSERT INTO drift_marks (mark, drift, at) VALUES (?, ?, ?) ON CONFLICT (mark) DO UPDATE SET at = excluded.at',
    markMet(drift),
    JSON.stringify({ everyone: drift, views: [] }),
    at,
  )
}

/** The drift that a mark names, null for none at all; undefined where nobody remembers it. */
export async function driftByMark(sql: Pick<Sql, 'get'>, mark: string): Promise<Drift | null | undefined> {
  if (mark === 'none') return null
  const row = await sql.get<{ drift: string }>('SELECT drift FROM drift_marks WHERE mark = ?', mark)
  return row && decoyDrift.parse(JSON.parse(row.drift)).everyone
}
