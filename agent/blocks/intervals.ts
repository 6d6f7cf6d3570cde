import { numberToIp, parseNetwork } from '../../shared/network.ts'

/**
 * Addresses `first` to `last` (both included, as numbers), blocked until `until` (milliseconds since 1970).
 * The kernel refuses intervals that overlap, so lists are always kept disjoint and sorted.
 */
export type Interval = { first: number; last: number; until: number }

export const keyOf = (interval: Interval): string => `${interval.first}-${interval.last}`

/** nft's way to write it: an address or a range. */
export const rangeText = ({ first, last }: Interval): string =>
  first === last ? numberToIp(first) : `${numberToIp(first)}-${numberToIp(last)}`

/** Disjoint intervals that cover exactly what the entries cover, each address until the latest of its entries. */
export function disjoint(entries: readonly { cidr: string; until: number }[]): Interval[] {
  const bounds = entries.map(({ cidr, until }) => ({ ...parseNetwork(cidr), until }))
  const edges = bounds
    .flatMap((bound) => [
      { at: bound.first, until: bound.until, opens: true },
      { at: bound.last + 1, until: bound.until, opens: false },
    ])
    .toSorted((a, b) => a.at - b.at)
  const open: number[] = []
  const result: Interval[] = []
  for (let i = 0; i < edges.length; ) {
    const at = (edges[i] as (typeof edges)[number]).at
    for (; i < edges.length && edges[i]?.at === at; i++) {
      const edge = edges[i] as (typeof edges)[number]
      if (edge.opens) open.splice(placeOf(open, edge.until), 0, edge.until)
      else open.splice(placeOf(open, edge.until), 1)
    }
    const next = edges[i]?.at
    const until = open.at(-1)
    if (next === undefined || until === undefined) continue
    const last = result.at(-1)
    if (last && last.last === at - 1 && last.until === until) last.last = next - 1
    else result.push({ first: at, last: next - 1, until })
  }
  return result
}

/** First place in a sorted list whose value is at least `value`. */
function placeOf(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
