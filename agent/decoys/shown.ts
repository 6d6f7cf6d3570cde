import { canonicalCidr } from '../../shared/network.ts'
import type { DesiredDecoy } from '../../shared/schemas/desired-state.ts'
import { answers, type CurrentDecoy, hasContainers } from './current.ts'
import { type Entry, isHeldDown } from './entry.ts'
import type { Nic } from './nic.ts'
import type { EventSource, PodRun } from './ports.ts'
import { foldersOf } from './specs.ts'

/** What other rooms are told of the decoys, out of what is remembered and what is seen. Pure. */

type SeenOf = (decoy: string) => CurrentDecoy

const nicOf = (nics: readonly Nic[], cidr: string): Nic | undefined =>
  nics.find((nic) => canonicalCidr(nic.cidr) === canonicalCidr(cidr))

export const restingOf = (
  wanted: readonly DesiredDecoy[],
  entryOf: (decoy: string) => Entry | undefined,
  seen: SeenOf,
) =>
  wanted.filter(({ id }) => {
    const entry = entryOf(id)
    return entry && !isHeldDown(entry) && answers(seen(id))
  })

export const reachOf = ({ id, cidr, ip, egress }: DesiredDecoy, nics: readonly Nic[]) => {
  const gateway = nicOf(nics, cidr)?.gateway
  return { decoy: id, ip, egress, ...(gateway !== undefined && { gateway }) }
}

/** Decoys whose address is on a card of ours. */
export const livingOf = (entries: readonly Entry[], seen: SeenOf, nics: readonly Nic[]) =>
  entries.flatMap(({ decoy, cidr, ip, gone, withdrawn }) => {
    const nic = nicOf(nics, cidr)?.nic
    return nic && !gone && !withdrawn && seen(decoy).pod?.running ? [{ decoy, nic, ip }] : []
  })

/** Pods that run, by the process whose network is theirs and the run that it is of. */
export const podsOf = (entries: readonly Entry[], seen: SeenOf): PodRun[] =>
  entries.flatMap(({ decoy, gone, withdrawn }) => {
    const { running, pid, startedAt = '' } = seen(decoy).pod ?? {}
    return running && pid !== undefined && !gone && !withdrawn ? [{ decoy, pid, run: startedAt }] : []
  })

/** An address that a real host has taken, or that was given up, is a host's again. */
export const addressesOf = (entries: readonly Entry[], seen: SeenOf) =>
  entries
    .filter(({ decoy, gone, withdrawn }) => !withdrawn && (!gone || hasContainers(seen(decoy))))
    .map(({ ip, mac }) => ({ ip, mac }))

export const sourcesOf = (entries: readonly Entry[], seen: SeenOf, folder: string): EventSource[] =>
  entries.flatMap(({ decoy, persona, personaVersion, revision, gone, served }) =>
    served.map((service) => ({
      id: decoy,
      service,
      outDir: foldersOf(folder, decoy, service).out,
      persona,
      personaVersion: seen(decoy).services[service]?.status?.personaVersion ?? personaVersion,
      revision,
      gone: gone && !hasContainers(seen(decoy)),
    })),
  )
