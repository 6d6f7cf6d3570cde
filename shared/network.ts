/** IPv4 arithmetic on unsigned 32-bit numbers. Inputs are validated addresses; anything else throws RangeError. */

export function ipToNumber(ip: string): number {
  const parts = ip.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    throw new RangeError(`${ip} is not an IPv4 address`)
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

export const numberToIp = (value: number): string =>
  [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.')

export type Network = { first: number; last: number; prefix: number }

/** First and last address of a network; a bare address is a /32. */
export function parseNetwork(cidr: string): Network {
  const [ip = '', bits = '32'] = cidr.split('/')
  const prefix = Number(bits)
  if (!/^\d{1,2}$/.test(bits) || prefix > 32) throw new RangeError(`${cidr} is not an IPv4 network`)
  const size = 2 ** (32 - prefix)
  const first = Math.floor(ipToNumber(ip) / size) * size
  return { first, last: first + size - 1, prefix }
}

/** A network in its canonical form: host bits cleared. */
export function canonicalCidr(cidr: string): string {
  const { first, prefix } = parseNetwork(cidr)
  return `${numberToIp(first)}/${prefix}`
}

/** The network of an address with a netmask such as 255.255.255.0. */
export function networkOf(ip: string, netmask: string): string {
  const prefix = 32 - Math.log2(2 ** 32 - ipToNumber(netmask))
  return canonicalCidr(`${ip}/${prefix}`)
}

export const contains = (cidr: string, ip: string): boolean => {
  const { first, last } = parseNetwork(cidr)
  const value = ipToNumber(ip)
  return value >= first && value <= last
}

export const overlaps = (a: string, b: string): boolean => {
  const [x, y] = [parseNetwork(a), parseNetwork(b)]
  return x.first <= y.last && y.first <= x.last
}

/** Whether `inner` lies wholly within `outer`. */
export const within = (inner: string, outer: string): boolean => {
  const [x, y] = [parseNetwork(inner), parseNetwork(outer)]
  return x.first >= y.first && x.last <= y.last
}
