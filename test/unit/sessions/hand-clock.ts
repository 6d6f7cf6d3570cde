export const startMs = Date.parse('2026-03-01T10:00:00.000Z')

/** A clock that a test moves; sleepers wake when it passes their time. */
export function makeHandClock(nowMs = startMs) {
  let now = nowMs
  const sleepers = new Set<{ at: number; wake: () => void }>()
  const waiting = new Set<() => void>()
  return {
    now: () => now,
    /** Resolves when somebody sleeps. */
    asleep: () => new Promise<void>((resolve) => (sleepers.size > 0 ? resolve() : void waiting.add(resolve))),
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const sleeper = { at: now + ms, wake: () => resolve() }
        sleepers.add(sleeper)
        for (const tell of waiting) tell()
        waiting.clear()
        const leave = () => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', leave, { once: true })
      }),
    advance(ms: number) {
      now += ms
      for (const sleeper of [...sleepers])
        if (sleeper.at <= now) {
          sleepers.delete(sleeper)
          sleeper.wake()
        }
    },
  }
}
