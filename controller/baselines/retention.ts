import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'
import { weekOf } from './hours.ts'

/** Weeks that are kept: what is older goes whole, so that a past that was spoilt, or was otherwise, does not stay. */
export const keptWeeks = 6
/** Single windows: so many days, and no more than so many of one subject. */
export const keptDays = 7
const keptWindows = 4000

const everyMs = 600_000

/** Bounds the profile database in age and size. */
export function makeBaselineRetention({
  store,
  clock,
  log,
}: Pick<Deps, 'store' | 'clock' | 'log'>): Part & { sweep(): Promise<number> } {
  async function sweep(): Promise<number> {
    const now = clock.now()
    const before = new Date(now - keptDays * 86_400_000).toISOString()
    let deleted = 0
    await store.tx(async (sql) => {
      deleted += (await sql.run('DELETE FROM baseline_cells WHERE week <= ?', weekOf(now) - keptWeeks)).changes
      deleted += (await sql.run('DELETE FROM baseline_windows WHERE at < ?', before)).changes
      for (const { subject } of await sql.all<{ subject: number }>(
        'SELECT subject FROM baseline_windows GROUP BY subject HAVING COUNT(*) > ?',
        keptWindows,
      ))
        deleted += (
          await sql.run(
            `DELETE FROM baseline_windows WHERE subject = ? AND at <=
               (SELECT at FROM baseline_windows WHERE subject = ? ORDER BY at DESC, n DESC LIMIT 1 OFFSET ?)`,
            subject,
            subject,
            keptWindows,
          )
        ).changes
      deleted += (
        await sql.run(
          `DELETE FROM baseline_subjects WHERE NOT EXISTS (SELECT 1 FROM baseline_cells c WHERE c.subject = id)
             AND NOT EXISTS (SELECT 1 FROM baseline_windows w WHERE w.subject = id)`,
        )
      ).changes
    })
    return deleted
  }
  const rounds = makeRounds({
    name: 'baseline retention',
    clock,
    log,
    failure: 'old windows could not be deleted; tried again',
    afterFailureMs: everyMs,
    round: () => sweep().then(() => everyMs),
  })
  return { ...rounds, sweep }
}
