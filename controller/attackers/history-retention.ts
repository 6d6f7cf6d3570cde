import type { Part } from '../../shared/lifecycle.ts'
import type { Deps } from '../deps.ts'
import { pruneSessions } from '../sessions/index.ts'
import { pruneBehaviours } from './queries.ts'

const everyMs = 600_000

/** Deletes sessions and behaviours older than records are kept; what is known of sources stays. */
export function makeHistoryRetention(
  deps: Pick<Deps, 'store' | 'clock' | 'config' | 'log'>,
): Part & { sweep(): Promise<void> } {
  const { store, clock, config, log } = deps
  let halt = new AbortController()
  let running: Promise<void> | undefined

  async function sweep(): Promise<void> {
    const before = new Date(clock.now() - config.retention.recordsDays * 86_400_000).toISOString()
    await store.tx((sql) => pruneBehaviours(sql, before))
    await store.tx((sql) => pruneSessions(sql, before))
  }

  async function loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sweep().catch((error) => log.error({ err: error }, 'old sessions could not be deleted; tried again'))
      await clock.sleep(everyMs, signal).catch(() => undefined)
    }
  }

  return {
    name: 'history retention',
    sweep,
    async start() {
      halt = new AbortController()
      running = loop(halt.signal)
    },
    async stop() {
      halt.abort()
      await running
    },
  }
}
