import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retry } from '../../shared/retry.ts'

export type RoomState = { state: 'starting' | 'running' | 'waiting' | 'stopped'; reason?: string; attempts: number }

export type Supervised<T extends Part> = Part & {
  standing(): RoomState
  /** The room while it runs. */
  current(): T | undefined
}

/**
 * A room that must not keep the others from running: starting it returns at once, and where it fails (no Docker, no
 * card) it is made anew and tried again until it runs or is stopped.
 *
 *   starting -> running        starting -> waiting -> starting ...        any -> stopped
 */
export function supervised<T extends Part>(
  name: string,
  make: () => Promise<T>,
  deps: { clock: Clock; random: Random; log: Log; onStarted?: (part: T) => void; firstMs?: number; capMs?: number },
): Supervised<T> {
  const stopping = new AbortController()
  let part: T | undefined
  let running: Promise<void> | undefined
  let standing: RoomState = { state: 'stopped', attempts: 0 }

  async function attempt(signal: AbortSignal, attempts: number): Promise<void> {
    standing = { ...standing, state: 'starting', attempts }
    const made = await make()
    try {
      await made.start(signal)
    } catch (error) {
      await made.stop().catch((stopError) => deps.log.debug({ err: stopError }, 'not stopped'))
      throw error
    }
    part = made
    standing = { state: 'running', attempts }
    deps.log.info({ part: name, attempts }, 'runs')
    deps.onStarted?.(made)
  }

  return {
    name,
    async start(signal) {
      const until = AbortSignal.any([signal, stopping.signal])
      running = retry((attempts) => attempt(until, attempts), {
        clock: deps.clock,
        random: deps.random,
        signal: until,
        firstMs: deps.firstMs ?? 1_000,
        capMs: deps.capMs ?? 30_000,
        onFailure(error, attempts, retryInMs) {
          const code = (error as { code?: string }).code
          standing = { state: 'waiting', reason: wordsOf(error).slice(0, 500), attempts }
          deps.log.warn({ part: name, code, attempts, retryInMs }, wordsOf(error))
        },
      }).catch((error) => {
        if (!until.aborted) deps.log.error({ part: name, err: error }, 'given up')
      })
    },
    async stop() {
      stopping.abort(new Error('stopping'))
      await running
      await part?.stop()
      part = undefined
      standing = { state: 'stopped', attempts: standing.attempts }
    },
    standing: () => standing,
    current: () => part,
  }
}
