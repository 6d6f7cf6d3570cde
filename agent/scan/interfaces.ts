import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { defaultGateways, parseResolvers, parseRoutes } from '../../shared/host-network.ts'
import { contains, networkOf, parseNetwork } from '../../shared/network.ts'
import { ipv4, mac as macSchema } from '../../shared/schemas/common.ts'
import type { SegmentSeen } from '../../shared/schemas/inventory.ts'

/** A network card with the segment it stands in. */
export type Nic = Omit<SegmentSeen, 'type' | 'at'>

/** Which cards count; by default all but loopback, containers' and tunnels' ones. */
export type NicFilter = (name: string) => boolean

const notAPlug = /^(lo|docker|br-|veth|virbr|vnet|ifb|dummy|tun|tap|wg|vxlan|cni|flannel|cali|macvtap|mlit|podman|lxc)/
export const defaultNicFilter: NicFilter = (name) => !notAPlug.test(name)

/** A card as systeminformation tells it. */
export type RawCard = { iface: string; ip4: string; ip4subnet: string; mac: string; internal: boolean }

/** RFC 3927 */
const selfGiven = '169.254.0.0/16'

/** Of a card with several addresses one is told, the first: where that is one it chose for itself, the first that it was given counts. */
function asGiven<T extends RawCard>(card: T): T {
  if (!ipv4.safeParse(card.ip4).success || !contains(selfGiven, card.ip4)) return card
  const all = networkInterfaces()[card.iface] ?? []
  const given = all.find(({ family, address }) => family === 'IPv4' && !contains(selfGiven, address))
  return given ? { ...card, ip4: given.address, ip4subnet: given.netmask } : card
}

/** Cards, routes and resolvers as the segments this machine stands in. */
export function segmentsOf(
  raw: { cards: readonly RawCard[]; routes: string; resolvers: string; gateway?: string | undefined },
  filter: NicFilter,
): Nic[] {
  const gateways = defaultGateways(parseRoutes(raw.routes))
  const dns = parseResolvers(raw.resolvers).slice(0, 8)
  const seen = new Set<string>()
  return raw.cards.flatMap((card) => {
    const mac = macSchema.safeParse(card.mac.toLowerCase())
    if (card.internal || !filter(card.iface) || !mac.success) return []
    if (!ipv4.safeParse(card.ip4).success || !ipv4.safeParse(card.ip4subnet).success) return []
    if (!/^[\w.:-]{1,15}$/.test(card.iface)) return []
    // What a machine chose for itself is in no segment that anybody gave it.
    if (contains(selfGiven, card.ip4)) return []
    const cidr = networkOf(card.ip4, card.ip4subnet)
    // A network of one or two addresses is a line, not a segment; and two cards in one segment would scan it twice.
    if (!(parseNetwork(cidr).prefix <= 30) || seen.has(cidr)) return []
    seen.add(cidr)
    const gateway =
      gateways.find((one) => one.nic === card.iface)?.gateway ??
      (raw.gateway && ipv4.safeParse(raw.gateway).success && contains(cidr, raw.gateway) ? raw.gateway : undefined)
    return [{ cidr, nic: card.iface, address: card.ip4, mac: mac.data, ...(gateway ? { gateway } : {}), dns }]
  })
}

export async function readInterfaces(filter: NicFilter): Promise<Nic[]> {
  // Loaded when first needed: an enforcer never has to pay for it.
  const { default: si } = await import('systeminformation/lib/network.js')
  const [cards, routes, resolvers] = await Promise.all([
    si.networkInterfaces(),
    readFile('/proc/net/route', 'utf8').catch(() => ''),
    readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
  ])
  const gateway = defaultGateways(parseRoutes(routes)).length === 0 ? await si.networkGatewayDefault() : undefined
  const given = (Array.isArray(cards) ? cards : [cards]).map(asGiven)
  return segmentsOf({ cards: given, routes, resolvers, gateway }, filter)
}
