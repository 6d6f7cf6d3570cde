import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { defaultGateways, parseRoutes } from '../../shared/host-network.ts'
import { contains, networkOf } from '../../shared/network.ts'
import { linkLocal } from '../console/link-local.ts'
import { defaultNicFilter, type NicFilter } from '../scan/interfaces.ts'

export type Card = { name: string; ip: string; mac: string; cidr: string }

/** Which cards count: those named, or all that the scan room takes for plugs into a segment. */
export const nicFilter = (named: readonly string[]): NicFilter =>
  named.length > 0 ? (name) => named.includes(name) : defaultNicFilter

/** The cards of the segments: those named, or all real ones with an IPv4 address. */
export function segmentCards(named: readonly string[], interfaces = networkInterfaces()): Card[] {
  const counts = nicFilter(named)
  return Object.entries(interfaces).flatMap(([name, addresses]) => {
    if (!counts(name)) return []
    const own = (addresses ?? []).filter((address) => address.family === 'IPv4' && !address.internal)
    const given = own.filter(({ address }) => !contains(linkLocal, address))
    // Beside a given one, what the box chose for itself (the status page's) is no place in a segment.
    return (given.length > 0 ? given : own).map(({ address, mac, netmask }) => ({
      name,
      ip: address,
      mac,
      cidr: networkOf(address, netmask),
    }))
  })
}

/** The same cards as the decoys take them, with the gateway of each where the kernel has one. */
export async function segmentNics(named: readonly string[]) {
  const gateways = defaultGateways(parseRoutes(await readFile('/proc/net/route', 'utf8')))
  return segmentCards(named).map(({ name, ip, cidr }) => {
    const gateway = gateways.find(({ nic }) => nic === name)?.gateway
    return { nic: name, cidr, address: ip, ...(gateway !== undefined && { gateway }) }
  })
}
