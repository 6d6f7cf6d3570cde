import type { Clock } from '../../shared/clock.ts'

/** Wakes a loop. Rings while nobody waits are kept as one. */
export function makeBell(clock: Clock) {
  let rung = false
  let wake: (() => void) | undefined
  return {
    ring(): void {
      rung = true
      wake?.()
    },
    /** Resolves at the next ring, after `ms`, or when the signal ends. */
    async wait(ms: number, signal: AbortSignal): Promise<void> {
      if (!rung && !signal.aborted) {
        const early = new AbortController()
        wake = () => early.abort()
        await clock.sleep(Math.max(0, ms), AbortSignal.any([signal, early.signal])).catch(() => undefined)
        wake = undefined
      }
      rung = false
    },
  }
}
