import type { Loss } from '../../shared/schemas/envelope.ts'

export type Head = { first: number; count: number; losses: readonly Loss[] }

/** What a batch adds to a stream that stands at `next`. `records`: indexes of its lines to take, `to` excluded. */
export type Taking =
  | { kind: 'take'; records: { from: number; to: number }; losses: Loss[]; next: number; duplicated: number }
  | { kind: 'gap'; missing: number }

/**
 * Pure: which part of a batch is new. Numbers below `next` came before and are left out; numbers that are missing must
 * be named as losses, else nothing is taken, so that the sender goes back to `next`. A number that is both sent and
 * called lost was sent.
 */
export function take(next: number, { first, count, losses }: Head): Taking {
  const end = first + count
  const sorted = [...losses].sort((a, b) => a.from - b.from)
  const taken: Loss[] = []
  let at = next
  const skipLosses = (limit: number) => {
    for (const { from, to, reason } of sorted) {
      if (from > at || to < at || at >= limit) continue
      const last = Math.min(to, limit - 1)
      taken.push({ from: at, to: last, reason })
      at = last + 1
    }
  }
  if (count > 0) {
    skipLosses(first)
    if (at < first) return { kind: 'gap', missing: first - at }
  }
  const from = Math.min(Math.max(at - first, 0), count)
  if (count > 0) at = Math.max(at, end)
  skipLosses(Number.MAX_SAFE_INTEGER)
  if (count === 0 && at < first) return { kind: 'gap', missing: first - at }
  return { kind: 'take', records: { from, to: count }, losses: taken, next: at, duplicated: from }
}
