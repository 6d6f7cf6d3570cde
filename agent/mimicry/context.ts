import type { Conversation, Exchange } from './conversation.ts'

/** How far away a place is: medians of what was measured there. */
export type Way = { connectMs: number; bytesPerMs?: number }
/** By `ip:port`. */
export type Measured = ReadonlyMap<string, Way>

const longestTransferMs = 20_000
const keep = 32
const fewBytes = 65_536

/**
 * A conversation over a longer way is slower: who waits longer for an answer asks the next thing later, by the way's time, and
 * where a transfer would take too long less is asked for. Pure.
 */
export function scaled(one: Conversation, way: Way | undefined): Exchange[] {
  if (!way) return one.exchanges
  const most = way.bytesPerMs === undefined ? Number.POSITIVE_INFINITY : way.bytesPerMs * longestTransferMs
  return one.exchanges.map(({ request, response, pauseMs }) => ({
    request: Math.min(request, Math.ceil(most)),
    response: Math.min(response, Math.ceil(most)),
    // Nothing follows at once what was not waited for; the first has nothing before it.
    pauseMs: pauseMs === 0 ? 0 : pauseMs + Math.min(way.connectMs, 3 * pauseMs),
  }))
}

/** Medians of the last measurements of each place. */
export function makeWays() {
  const seen = new Map<string, { connect: number[]; speed: number[] }>()
  const push = (list: number[], value: number) => {
    list.push(value)
    if (list.length > keep) list.shift()
  }
  const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]
  return {
    /** `bytes` of answers went over the way in `ms`; few of them say nothing of how fast it is. */
    measured(place: string, connectMs: number, bytes: number, ms: number): void {
      const own = seen.get(place) ?? { connect: [], speed: [] }
      seen.set(place, own)
      push(own.connect, connectMs)
      if (bytes > fewBytes && ms > 0) push(own.speed, bytes / ms)
    },
    all(): Measured {
      return new Map(
        [...seen].map(([place, { connect, speed }]) => {
          const bytesPerMs = median(speed)
          return [place, { connectMs: median(connect) ?? 0, ...(bytesPerMs !== undefined && { bytesPerMs }) }]
        }),
      )
    },
  }
}
