import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Deps } from '../deps.ts'
import type { Blocks } from './blocks.ts'
import { expireChanges, type UndoPorts } from './undo.ts'

const longestWaitMs = 60_000

/** Ends decisions when their time is over, to the moment; looks again whenever blocks change, and each minute. */
export function makeExpiry(
  deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'log'>,
  blocks: Pick<Blocks, 'expire'>,
  ports: UndoPorts,
): Part {
  const { store, bus, clock, log } = deps
  return makeRounds({
    name: 'decision expiry',
    clock,
    log,
    failure: 'decisions could not be ended; tried again',
    afterFailureMs: 1000,
    listen: (wake) => bus.on('blocks-changed', wake),
    async round() {
      // Blocks in a commit of their own: nothing about decoys may delay them.
      const ended = await store.tx(blocks.expire)
      if (ended > 0) bus.emit({ name: 'blocks-changed' })
      for (const event of await store.tx((sql) => expireChanges(sql, { ports, clock }))) bus.emit(event)
      const next = await store.get<{ at: string | null }>(
        `SELECT MIN(expires_at) AS at FROM decisions WHERE status IN ('active', 'proposed')`,
      )
      const untilNext = next?.at ? Date.parse(next.at) - clock.now() : longestWaitMs
      return Math.min(longestWaitMs, Math.max(1, untilNext))
    },
  })
}
