import { ipToNumber, numberToIp, overlaps, parseNetwork } from '../../shared/network.ts'
import { pickWeighted, type Random } from '../../shared/random.ts'

export type AddressSpace = {
  cidr: string
  /** Only within these, where any are given. */
  ranges: readonly string[]
  exclude: readonly string[]
  /** Hosts, gateway, resolvers, appliances, decoys. */
  taken: ReadonlySet<string>
}

/** Larger segments are looked at around their hosts only. */
const mostLookedAt = 65_536

/** Addresses of the segment that nobody has, as numbers, rising. */
export function freeAddresses({ cidr, ranges, exclude, taken }: AddressSpace): number[] {
  const { first, last, prefix } = parseNetwork(cidr)
  const [from, to] = prefix <= 30 ? [first + 1, last - 1] : [first, last]
  const allowed = ranges.filter((range) => overlaps(range, cidr)).map(parseNetwork)
  const barred = exclude.filter((range) => overlaps(range, cidr)).map(parseNetwork)
  const free: number[] = []
  for (let at = from; at <= to && at - from < mostLookedAt; at++) {
    if (ranges.length > 0 && !allowed.some((one) => at >= one.first && at <= one.last)) continue
    if (barred.some((one) => at >= one.first && at <= one.last)) continue
    if (!taken.has(numberToIp(at))) free.push(at)
  }
  return free
}

/**
 * One of the free addresses: rather close to hosts, as a new machine would be, but any can come, so that nobody can tell
 * decoys by their place. The weight falls with the square of the distance to the nearest host.
 */
export function chooseAddress(free: readonly number[], hosts: readonly string[], random: Random): string | undefined {
  if (free.length === 0) return undefined
  const near = hosts.map(ipToNumber).sort((a, b) => a - b)
  let i = 0
  const weighted = free.map((address) => {
    while (i + 1 < near.length && (near[i + 1] ?? 0) <= address) i++
    const distance = Math.min(distanceTo(near[i], address), distanceTo(near[i + 1], address))
    return [address, 1 / (1 + distance) ** 2 + 0.002] as const
  })
  return numberToIp(pickWeighted(random, weighted))
}

const distanceTo = (host: number | undefined, address: number) =>
  host === undefined ? Number.POSITIVE_INFINITY : Math.abs(host - address)

/** A MAC of this OUI that nobody has. The tail is drawn: neither counted up nor derived from the address. */
export function chooseMac(oui: string, taken: ReadonlySet<string>, random: Random): string {
  for (;;) {
    const tail = [0, 0, 0].map(() =>
      Math.floor(random() * 256)
        .toString(16)
        .padStart(2, '0'),
    )
    const mac = [oui, ...tail].join(':')
    if (!taken.has(mac)) return mac
  }
}
