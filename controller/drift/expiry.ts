import { isoNow } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'
import { expireDrift } from './settings.ts'

const longestWaitMs = 60_000

/** Ends drift whose time is over, to the moment; looks again whenever plans change. */
export function makeDriftExpiry({ store, bus, clock, log }: Pick<Deps, 'store' | 'bus' | 'clock' | 'log'>): Part {
  return makeRounds({
    name: 'drift expiry',
    clock,
    log,
    failure: 'drift could not be ended; tried again',
    afterFailureMs: 1000,
    listen: (wake) => bus.on('plan-changed', wake),
    async round() {
      const agents = await store.tx((sql) => expireDrift(sql, isoNow(clock)))
      if (agents.length > 0) bus.emit({ name: 'plan-changed', agents })
      const next = await store.get<{ at: string | null }>(
        'SELECT MIN(until) AS at FROM drift_settings WHERE ended_at IS NULL',
      )
      const untilNext = next?.at ? Date.parse(next.at) - clock.now() : longestWaitMs
      return Math.min(longestWaitMs, Math.max(1, untilNext))
    },
  })
}
