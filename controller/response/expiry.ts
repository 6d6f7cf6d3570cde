import type { Part } from '../../shared/lifecycle.ts'
import type { Deps } from '../deps.ts'
import type { Blocks } from './blocks.ts'

const longestWaitMs = 60_000

/** Ends blocks when their time is over, to the moment; looks again whenever blocks change. */
export function makeExpiry(deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'log'>, blocks: Blocks): Part {
  const { store, bus, clock, log } = deps
  let halt = new AbortController()
  let wake = new AbortController()
  let running: Promise<void> | undefined
  let off = () => {}

  async function loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      wake = new AbortController()
      try {
        const ended = await store.tx(blocks.expire)
        if (ended > 0) bus.emit({ name: 'blocks-changed' })
        const next = await store.get<{ at: string | null }>(
          `SELECT MIN(expires_at) AS at FROM decisions WHERE kind = 'block' AND status IN ('active', 'proposed')`,
        )
        const untilNext = next?.at ? Date.parse(next.at) - clock.now() : longestWaitMs
        await pause(Math.min(longestWaitMs, Math.max(1, untilNext)), signal)
      } catch (error) {
        log.error({ err: error }, 'blocks could not be ended; tried again')
        await pause(1000, signal)
      }
    }
  }

  const pause = (ms: number, signal: AbortSignal) =>
    clock.sleep(ms, AbortSignal.any([signal, wake.signal])).catch(() => undefined)

  return {
    name: 'block expiry',
    async start() {
      halt = new AbortController()
      off = bus.on('blocks-changed', () => wake.abort())
      running = loop(halt.signal)
    },
    async stop() {
      off()
      halt.abort()
      await running
    },
  }
}
