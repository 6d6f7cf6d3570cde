import { networkInterfaces } from 'node:os'
import type { Nic, NicFilter } from './interfaces.ts'

/** The cards in segments, kept up to date; `onFresh` is told of those that came or changed. */
export function makeCards(deps: {
  read: (filter: NicFilter) => Promise<Nic[]>
  filter: NicFilter
  onFresh: (nics: Nic[]) => Promise<void>
}) {
  let nics: Nic[] = []
  let seen = ''

  /** A cheap comparison comes first: this is asked every few seconds, and reading cards in full starts processes. */
  async function look(): Promise<void> {
    const now = JSON.stringify(Object.entries(networkInterfaces()).filter(([name]) => deps.filter(name)))
    if (now === seen) return
    const found = await deps.read(deps.filter)
    seen = now
    const known = new Set(nics.map((nic) => JSON.stringify(nic)))
    const fresh = found.filter((nic) => !known.has(JSON.stringify(nic)))
    nics = found
    if (fresh.length > 0) await deps.onFresh(fresh)
  }

  return { look, all: (): readonly Nic[] => nics }
}
