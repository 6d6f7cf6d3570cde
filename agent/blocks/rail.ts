import { parseNetwork } from '../../shared/network.ts'
import type { BlockEntry } from '../../shared/schemas/desired-state.ts'

/** A network nobody may block from here, with the reason. */
export type Protected = { cidr: string; why: string }
export type Refused = { entry: BlockEntry; by: Protected }

/**
 * The second rail: entries that overlap a protected network are refused whole, whatever the controller decided.
 * Entries that are over by this clock are left out too; whoever decided them is told, since the clock may be wrong.
 */
export function railed(
  entries: readonly BlockEntry[],
  protectedNetworks: readonly Protected[],
  now: number,
): { allowed: { cidr: string; until: number }[]; refused: Refused[]; expired: BlockEntry[] } {
  const walls = wallsOf(protectedNetworks)
  const allowed: { cidr: string; until: number }[] = []
  const refused: Refused[] = []
  const expired: BlockEntry[] = []
  for (const entry of entries) {
    const until = Date.parse(entry.until)
    const by = wallIn(walls, entry.cidr)
    if (until <= now) expired.push(entry)
    else if (by) refused.push({ entry, by })
    else allowed.push({ cidr: entry.cidr, until })
  }
  return { allowed, refused, expired }
}

type Wall = { first: number; last: number; of: Protected }

/** Sorted and free of overlap, so that one binary search answers for 65,536 entries against 1,024 networks. */
function wallsOf(networks: readonly Protected[]): Wall[] {
  const sorted = networks
    .map((of) => ({ ...parseNetwork(of.cidr), of }))
    .toSorted((a, b) => a.first - b.first || b.last - a.last)
  const walls: Wall[] = []
  for (const { first, last, of } of sorted) {
    const before = walls.at(-1)
    // CIDR networks nest or are apart: one that begins inside the last wall lies wholly in it.
    if (!before || first > before.last) walls.push({ first, last, of })
  }
  return walls
}

function wallIn(walls: readonly Wall[], cidr: string): Protected | undefined {
  const { first, last } = parseNetwork(cidr)
  let low = 0
  let high = walls.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((walls[middle] as Wall).last < first) low = middle + 1
    else high = middle
  }
  const wall = walls[low]
  return wall && wall.first <= last ? wall.of : undefined
}
