import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'

const everyMs = 3_600_000

/** Deletes visits, changes and assignments older than records are kept; beliefs stay. */
export function makeAdaptationRetention(
  deps: Pick<Deps, 'store' | 'clock' | 'config' | 'log'>,
): Part & { sweep(): Promise<void> } {
  const { store, clock, config, log } = deps

  async function sweep(): Promise<void> {
    const before = new Date(clock.now() - config.retention.recordsDays * 86_400_000).toISOString()
    await store.tx(async (sql) => {
      await sql.run('DELETE FROM adaptation_visits WHERE ended_at < ?', before)
      await sql.run('DELETE FROM adaptation_changes WHERE at < ?', before)
      await sql.run(
        `DELETE FROM adaptation_assignments WHERE until < ?
         AND NOT EXISTS (SELECT 1 FROM adaptation_visits v WHERE v.assignment = adaptation_assignments.id)`,
        before,
      )
    })
  }

  const rounds = makeRounds({
    name: 'adaptation retention',
    clock,
    log,
    failure: 'old visits could not be deleted; tried again',
    afterFailureMs: everyMs,
    round: () => sweep().then(() => everyMs),
  })
  return { ...rounds, sweep }
}
