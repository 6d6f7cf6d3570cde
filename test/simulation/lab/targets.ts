import ipaddr from 'ipaddr.js'
import { MarshlightError } from '../../../shared/errors.ts'

/** The range for benchmarks (RFC 2544): all that the lab's machines may ever touch. */
export const labRange = '198.18.0.0/15'

const address = /\b\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?/g

/** Throws TARGET_OUTSIDE when a command names an address or network outside the lab. Loopback is one's own. */
export function refuseTargetsOutside(argv: readonly string[]): void {
  const range = ipaddr.IPv4.parseCIDR(labRange)
  const loopback = ipaddr.IPv4.parseCIDR('127.0.0.0/8')
  for (const target of argv.join(' ').match(address) ?? []) {
    const [ip = '', bits = '32'] = target.split('/')
    if (!ipaddr.IPv4.isValid(ip)) continue
    const parsed = ipaddr.IPv4.parse(ip)
    const inside = [range, loopback].some((each) => parsed.match(each) && Number(bits) >= each[1])
    if (!inside) throw new MarshlightError('TARGET_OUTSIDE', { target, cidr: labRange })
  }
}
