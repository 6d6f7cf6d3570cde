import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'
import { pruneSessions } from '../sessions/index.ts'
import { pruneBehaviours } from './queries.ts'

const everyMs = 600_000

/** Deletes sessions and behaviours older than records are kept; what is known of sources stays. */
export function makeHistoryRetention(
  deps: Pick<Deps, 'store' | 'clock' | 'config' | 'log'>,
): Part & { sweep(): Promise<void> } {
  const { store, clock, config, log } = deps

  async function sweep(): Promise<void> {
    const before = new Date(clock.now() - config.retention.recordsDays * 86_400_000).toISOString()
    await store.tx((sql) => pruneBehaviours(sql, before))
    await store.tx((sql) => pruneSessions(sql, before))
  }

  const rounds = makeRounds({
    name: 'history retention',
    clock,
    log,
    failure: 'old sessions could not be deleted; tried again',
    afterFailureMs: everyMs,
    round: () => sweep().then(() => everyMs),
  })
  return { ...rounds, sweep }
}
