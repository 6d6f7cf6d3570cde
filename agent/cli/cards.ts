import { networkInterfaces } from 'node:os'
import { networkOf } from '../../shared/network.ts'

export type Card = { name: string; ip: string; mac: string; cidr: string }

/** Names of what container engines, bridges and tunnels make: no segment lies behind them. */
const notReal = /^(lo|docker|br-|veth|virbr|cni|flannel|tun|tap|wg|mv|ml-)/

/** The cards of the segments: those named, or all real ones with an IPv4 address. */
export function segmentCards(named: readonly string[], interfaces = networkInterfaces()): Card[] {
  return Object.entries(interfaces).flatMap(([name, addresses]) => {
    if (named.length > 0 ? !named.includes(name) : notReal.test(name)) return []
    return (addresses ?? [])
      .filter((address) => address.family === 'IPv4' && !address.internal)
      .map(({ address, mac, netmask }) => ({ name, ip: address, mac, cidr: networkOf(address, netmask) }))
  })
}
