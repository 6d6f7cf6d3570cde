import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

export type RetryOptions = {
  clock: Clock
  random: Random
  signal: AbortSignal
  /** First delay and cap, milliseconds; each delay is drawn from [half, whole] of a doubling value. */
  firstMs: number
  capMs: number
  /** Attempts in all; none means until the signal ends it. */
  attempts?: number
  onFailure?: (error: unknown, attempt: number, delayMs: number) => void
}

/** Runs `work` until it succeeds. Throws the last error, as the cause, when attempts run out, or the signal's reason. */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, signal, firstMs, capMs, attempts = Number.POSITIVE_INFINITY, onFailure } = options
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      signal.throwIfAborted()
      if (attempt >= attempts) throw new Error(`gave up after ${attempt} attempts`, { cause: error })
      const delayMs = retryDelay(attempt, { firstMs, capMs, random })
      onFailure?.(error, attempt, delayMs)
      await clock.sleep(delayMs, signal)
    }
  }
}

/** Delay before the attempt after `attempt`, milliseconds: exponential with a cap, jitter over its upper half. */
export function retryDelay(attempt: number, o: { firstMs: number; capMs: number; random: Random }): number {
  const whole = Math.min(o.capMs, o.firstMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(whole / 2 + (o.random() * whole) / 2)
}
