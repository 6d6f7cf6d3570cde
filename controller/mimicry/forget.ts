import type { Sql } from '../store/port.ts'

/** Deletes the shape of a segment's traffic, also that which plans name. */
export async function forgetPatterns(sql: Sql, segment: string): Promise<void> {
  await sql.run('DELETE FROM mimicry_patterns WHERE segment = ?', segment)
}
