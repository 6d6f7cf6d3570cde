type Flow<T> = { items: ({ item: T; bytes: number } | undefined)[]; at: number; credit: number }

/** What one may have taken of it before the next one's turn. */
const quantumBytes = 65_536

/**
 * A queue of many owners, who take turns by bytes (deficit round robin); whoever had nothing waiting goes first, with one
 * turn's worth (as in fq_codel, RFC 8290, 4.2). So what an owner sends now and then passes those who send all the time.
 *
 * Invariants: of one owner, first in first out; between two turns of an owner, each other owner gets at most a quantum
 * and what its last item takes beyond that.
 */
export function makeFairQueue<T>() {
  /** Those whose first turn is still to come, and those who are in the round; the first of each is the next. */
  const fresh = new Map<string, Flow<T>>()
  const round = new Map<string, Flow<T>>()
  let length = 0

  function toEnd(owner: string, flow: Flow<T>): void {
    fresh.delete(owner)
    round.delete(owner)
    round.set(owner, flow)
  }

  /** The next item; undefined when the turn has to pass on. */
  function next(owner: string, flow: Flow<T>): { item: T; bytes: number } | undefined {
    if (flow.credit <= 0) {
      flow.credit += quantumBytes
      toEnd(owner, flow)
      return undefined
    }
    const found = flow.items[flow.at]
    if (found) {
      // Not held until the next compaction: it may be a megabyte.
      flow.items[flow.at++] = undefined
      flow.credit -= found.bytes
      return found
    }
    // Kept for a round where others wait: else it would be first again with its next item, and so on.
    if (fresh.has(owner) && round.size > 0) toEnd(owner, flow)
    else {
      fresh.delete(owner)
      round.delete(owner)
    }
    return undefined
  }

  return {
    length: () => length,
    push(owner: string, item: T, bytes: number): void {
      let flow = fresh.get(owner) ?? round.get(owner)
      if (!flow) {
        flow = { items: [], at: 0, credit: quantumBytes }
        fresh.set(owner, flow)
      }
      if (flow.at > 64 && flow.at * 2 > flow.items.length) {
        flow.items.splice(0, flow.at)
        flow.at = 0
      }
      flow.items.push({ item, bytes })
      length++
    },
    /** Items in their turn, until they reach so many bytes. */
    take(bytes: number): T[] {
      const taken: T[] = []
      for (let sum = 0; length > 0 && sum < bytes; ) {
        const [entry] = fresh.size > 0 ? fresh : round
        if (!entry) break
        const found = next(...entry)
        if (!found) continue
        length--
        sum += found.bytes
        taken.push(found.item)
      }
      return taken
    },
    clear(): void {
      fresh.clear()
      round.clear()
      length = 0
    },
  }
}
