import type { Clock } from './clock.ts'
import type { Part } from './lifecycle.ts'
import type { Log } from './log.ts'

export type RoundsOptions = {
  name: string
  clock: Clock
  log: Log
  /** One round of work. Gives the milliseconds until the next is due. */
  round(signal: AbortSignal): Promise<number>
  /** What is logged when a round fails; the next comes after `afterFailureMs`. */
  failure: string
  afterFailureMs: number
  /** Names what wakes the part, called at its start; gives back what ends that. */
  listen?(wake: () => void): () => void
}

/**
 * Work that comes in rounds: due by time, or woken.
 *
 *   round -> wait until due, or woken -> round ...
 *
 * Invariants: never two rounds at once; a call during a round leads to one more after it; a failed round is logged and
 * followed by another; `stop` ends a wait at once and returns when the round that runs is over.
 */
export function makeRounds(options: RoundsOptions): Part & { wake(): void } {
  const { name, clock, log, round, failure, afterFailureMs } = options
  let halt = new AbortController()
  let nap = new AbortController()
  let woken = false
  let running: Promise<void> | undefined
  let deafen = () => {}

  const wake = () => {
    woken = true
    nap.abort()
  }

  async function loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      woken = false
      nap = new AbortController()
      let waitMs = afterFailureMs
      try {
        waitMs = await round(signal)
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, failure)
      }
      if (!woken) await clock.sleep(waitMs, AbortSignal.any([signal, nap.signal])).catch(() => undefined)
    }
  }

  return {
    name,
    wake,
    async start(signal) {
      halt = new AbortController()
      deafen = options.listen?.(wake) ?? (() => {})
      running = loop(AbortSignal.any([signal, halt.signal]))
    },
    async stop() {
      deafen()
      halt.abort()
      await running
    },
  }
}
