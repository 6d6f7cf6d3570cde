import type { Clock } from '../../shared/clock.ts'

/**
 * Lets `bytesPerSecond` through on the average, and at most a second's worth at once. What is larger than that is let
 * through when it would be over. Without a rate nothing waits.
 */
export function makeTokenBucket(clock: Clock, bytesPerSecond: number | undefined) {
  let tokens = bytesPerSecond ?? 0
  let filledAt = clock.now()
  return {
    async take(bytes: number, signal: AbortSignal): Promise<void> {
      if (bytesPerSecond === undefined) return
      const now = clock.now()
      // A clock that was set back gives nothing, and takes nothing.
      tokens = Math.min(bytesPerSecond, tokens + (Math.max(0, now - filledAt) * bytesPerSecond) / 1000)
      filledAt = now
      tokens -= bytes
      if (tokens < 0) await clock.sleep(Math.ceil((-tokens / bytesPerSecond) * 1000), signal)
    },
  }
}
export type TokenBucket = ReturnType<typeof makeTokenBucket>
