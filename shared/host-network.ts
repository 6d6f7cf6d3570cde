import { numberToIp } from './network.ts'

/** One row of the kernel's IPv4 routing table. */
export type Route = { nic: string; destination: string; gateway: string; mask: string; metric: number }

const routeUp = 0x1

/** The text of /proc/net/route as routes; rows that do not read as one are left out. */
export function parseRoutes(text: string): Route[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length >= 8 && (Number.parseInt(cells[3] ?? '', 16) & routeUp) !== 0)
    .map(([nic = '', destination = '', gateway = '', , , , metric = '', mask = '']) => ({
      nic,
      destination: fromHex(destination),
      gateway: fromHex(gateway),
      mask: fromHex(mask),
      metric: Number(metric),
    }))
}

/** Default gateways, best metric first. */
export const defaultGateways = (routes: readonly Route[]): { nic: string; gateway: string }[] =>
  routes
    .filter((route) => route.destination === '0.0.0.0' && route.mask === '0.0.0.0' && route.gateway !== '0.0.0.0')
    .toSorted((a, b) => a.metric - b.metric)
    .map(({ nic, gateway }) => ({ nic, gateway }))

/** The IPv4 resolvers named in a resolv.conf. */
export const parseResolvers = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/^\s*nameserver\s+(\d{1,3}(?:\.\d{1,3}){3})\s*$/gm)]
      .map((match) => match[1] as string)
      .filter((ip) => ip.split('.').every((part) => Number(part) < 256)),
  ),
]

/** The kernel writes addresses as eight hex digits in the machine's byte order; both our platforms are little-endian. */
const fromHex = (hex: string): string =>
  numberToIp(Buffer.from(hex.padStart(8, '0').slice(0, 8), 'hex').readUInt32LE(0))
