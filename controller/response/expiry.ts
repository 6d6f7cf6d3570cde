import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'
import type { Blocks } from './blocks.ts'

const longestWaitMs = 60_000

/** Ends blocks when their time is over, to the moment; looks again whenever blocks change. */
export function makeExpiry(deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'log'>, blocks: Blocks): Part {
  const { store, bus, clock, log } = deps
  return makeRounds({
    name: 'block expiry',
    clock,
    log,
    failure: 'blocks could not be ended; tried again',
    afterFailureMs: 1000,
    listen: (wake) => bus.on('blocks-changed', wake),
    async round() {
      const ended = await store.tx(blocks.expire)
      if (ended > 0) bus.emit({ name: 'blocks-changed' })
      const next = await store.get<{ at: string | null }>(
        `SELECT MIN(expires_at) AS at FROM decisions WHERE kind = 'block' AND status IN ('active', 'proposed')`,
      )
      const untilNext = next?.at ? Date.parse(next.at) - clock.now() : longestWaitMs
      return Math.min(longestWaitMs, Math.max(1, untilNext))
    },
  })
}
