import { MarshlightError } from '../../shared/errors.ts'
import { parseNetwork } from '../../shared/network.ts'
import type { Random } from '../../shared/random.ts'
import type { ControllerConfig } from '../config.ts'
import type { Sql } from '../store/port.ts'
import { chooseAddress, freeAddresses } from './addresses.ts'

const dayMs = 86_400_000
/** A host that was here so lately may come back; an address that a decoy left is remembered by who touched it. */
const hostMemoryMs = 30 * dayMs
const decoyMemoryMs = 7 * dayMs

/** A free address of the segment. Throws NO_FREE_ADDRESS. */
export async function freeAddressIn(
  sql: Sql,
  { segment, cidr }: { segment: string; cidr: string },
  { config, random, now }: { config: ControllerConfig['decoys']; random: Random; now: number },
): Promise<string> {
  const since = (ms: number) => new Date(now - ms).toISOString()
  const hosts = await sql.all<{ ip: string; status: string }>(
    "SELECT ip, status FROM hosts WHERE segment = ? AND (status = 'up' OR last_seen > ?)",
    segment,
    since(hostMemoryMs),
  )
  const decoys = await sql.all<{ ip: string; active: number }>(
    `SELECT ip, until_at IS NULL AS active FROM decoy_addresses WHERE segment = ? AND (until_at IS NULL OR until_at > ?)`,
    segment,
    since(decoyMemoryMs),
  )
  const own = await sql.all<{ address: string | null; gateway: string | null; dns: string | null }>(
    'SELECT address, gateway, dns FROM agent_segments WHERE segment = ?',
    segment,
  )
  const infrastructure = own.flatMap(({ address, gateway, dns }) => [
    address,
    gateway,
    ...(JSON.parse(dns ?? '[]') as string[]),
  ])
  const always = [...hosts.map(({ ip }) => ip), ...infrastructure.filter((ip) => ip !== null)]
  const space = (ips: readonly { ip: string }[]) => ({
    cidr,
    ranges: config.ranges,
    exclude: config.exclude,
    taken: new Set([...always, ...ips.map(({ ip }) => ip)]),
  })
  // In a small segment an address that a decoy left lately is better than none.
  const unused = freeAddresses(space(decoys))
  const free = unused.length > 0 ? unused : freeAddresses(space(decoys.filter(({ active }) => active === 1)))
  const ip = chooseAddress(
    free,
    hosts.filter(({ status }) => status === 'up').map(({ ip }) => ip),
    random,
  )
  if (ip !== undefined) return ip
  const { first, last } = parseNetwork(cidr)
  throw new MarshlightError('NO_FREE_ADDRESS', {
    cidr,
    why:
      config.ranges.length > 0 || config.exclude.length > 0
        ? `within the configured ranges and outside the exclusions; ${hosts.length} hosts, ${decoys.length} addresses of decoys`
        : `${last - first + 1} addresses, ${hosts.length} hosts, ${decoys.length} addresses of decoys`,
  })
}
