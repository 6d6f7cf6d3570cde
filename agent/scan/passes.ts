import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { contains, numberToIp, parseNetwork } from '../../shared/network.ts'
import type { HostSeen } from '../../shared/schemas/inventory.ts'
import { type Inventory, type Look, takeIn, takeOut } from './differences.ts'
import type { FindNames } from './names.ts'
import type { Nmap } from './nmap-run.ts'
import { type FoundHost, type NmapResult, parseNmapXml } from './nmap-xml.ts'
import type { Target } from './targets.ts'
import type { FindVendor } from './vendors.ts'

export type PassPorts = {
  nmap: Nmap
  names: FindNames
  vendor: FindVendor
  clock: Clock
  /** Told as soon as known, not at the end of the pass. */
  onHosts(hosts: HostSeen[]): Promise<void>
  onGone(hosts: HostSeen[]): Promise<void>
}

export type PassContext = {
  target: Target
  inventory: Inventory
  /** Packets a second. */
  maxRate: number
  /** No hosts, but decoys of the fleet. */
  isDecoy(found: { ip: string; mac?: string }): boolean
  signal: AbortSignal
}

/** Addresses in one discovery run: bounds its memory, and lets a large segment's first hosts be told early. */
const sweepSize = 1024
const quickGroup = 32
const detailGroup = 4
const telnetPort = 23

/** Scripts of nmap's category "safe" that tell what a persona needs; none logs in anywhere. */
const scripts = 'banner,ssh2-enum-algos,ssh-hostkey,http-title,http-server-header,ssl-cert,nbstat'

/** Hosts that were there; the reason where some of them could not be looked at. */
export type PassResult = { hostsUp: number; reason?: string }

/** Who is there (ARP), under which name, with which of the hundred commonest ports. */
export async function quickPass(ports: PassPorts, context: PassContext): Promise<PassResult> {
  const { target, inventory } = context
  const answered = new Set<string>()
  for (const sweep of sweepsOf(target.ranges)) {
    const options = ['-sn', '-PR', ...pace(context.maxRate)]
    const found = (await look(ports, context, options, sweep, 60 + 6 * sweepCost(sweep, context))).hosts
    for (const one of found) answered.add(one.ip)
    await tell(ports, context, found, { kind: 'alive', scanned: '' })
    const named = await ports.names(
      found.map((one) => one.ip),
      target.segment.dns,
    )
    await tell(
      ports,
      context,
      found.map((one) => ({ ...one, names: named.get(one.ip) ?? [] })),
      { kind: 'alive', scanned: '' },
    )
  }
  const lookedAt = (ip: string) =>
    target.ranges.some((range) => contains(range, ip)) && !target.exclude.some((wall) => contains(wall, ip))
  await ports.onGone(takeOut(inventory, answered, lookedAt))
  for (const group of groupsOf([...answered], quickGroup)) {
    const options = ['-Pn', '-sS', '-F', '--max-retries', '1', ...pace(context.maxRate)]
    const result = await look(ports, context, options, group, 60 + (group.length * 100 * 4) / context.maxRate)
    await tell(ports, context, result.hosts, { kind: 'ports', scanned: result.scanned })
  }
  return { hostsUp: answered.size }
}

/**
 * Ports, versions, system and safe scripts of the hosts that answered last, a few at a time. Those of a group that fails
 * are looked at one by one, so that no host keeps others from their details. Throws when all fail.
 */
export async function detailPass(ports: PassPorts, context: PassContext): Promise<PassResult> {
  const there = [...context.inventory.values()]
    .filter(({ host, missed }) => missed === 0 && context.target.ranges.some((range) => contains(range, host.ip)))
    .filter(({ host }) => !context.target.exclude.some((wall) => contains(wall, host.ip)))
    .map(({ host }) => host.ip)
  const failed: { ip: string; error: unknown }[] = []
  const waiting = groupsOf(there, detailGroup)
  for (let group = waiting.shift(); group; group = waiting.shift()) {
    const [ip = ''] = group
    const looks = await detailsOf(ports, context, group).catch((error: unknown) => {
      context.signal.throwIfAborted()
      if (group.length > 1) waiting.unshift(...groupsOf(group, 1))
      else failed.push({ ip, error })
      return []
    })
    for (const { hosts, scanned } of looks) await tell(ports, context, hosts, { kind: 'detail', scanned })
  }
  const [first] = failed
  if (!first) return { hostsUp: there.length }
  if (failed.length === there.length) throw first.error
  const which = failed.slice(0, 8).map(({ ip }) => ip)
  const words = `${failed.length} of ${there.length} hosts gave no details (${which.join(', ')}): ${wordsOf(first.error)}`
  return { hostsUp: there.length, reason: words }
}

/** One look at a few hosts, with one at their telnet daemons before. */
async function detailsOf(ports: PassPorts, context: PassContext, group: readonly string[]): Promise<NmapResult[]> {
  const telnet = await lookAtTelnet(ports, context, group)
  const hostSeconds = 120 + Math.ceil((group.length * 1000 * 3) / context.maxRate)
  const options = [
    ...['--exclude-ports', String(telnetPort)],
    ...['-Pn', '-sS', '-sV', '--version-light', '-O', '--osscan-limit', '--max-os-tries', '2', '--max-retries', '2'],
    ...['--script', scripts, '--script-timeout', '10s', '--host-timeout', `${hostSeconds}s`, ...pace(context.maxRate)],
  ]
  return [...telnet, await look(ports, context, options, group, hostSeconds * group.length + 60)]
}

/**
 * Telnet daemons answer none of nmap's version probes, and each waits out its time: 46 s for one port. Their banner tells as
 * much in three.
 */
async function lookAtTelnet(ports: PassPorts, context: PassContext, group: readonly string[]): Promise<NmapResult[]> {
  const known = (ip: string) => context.inventory.get(ip)?.host.ports ?? []
  const daemons = group.filter((ip) => known(ip).some(({ proto, port }) => proto === 'tcp' && port === telnetPort))
  if (daemons.length === 0) return []
  const script = ['--script', 'banner', '--script-timeout', '10s']
  const options = ['-Pn', '-sS', '-p', String(telnetPort), ...script, ...pace(context.maxRate)]
  return [await look(ports, context, options, daemons, 60)]
}

async function look(
  ports: PassPorts,
  { target, signal, isDecoy }: PassContext,
  options: readonly string[],
  targets: readonly string[],
  seconds: number,
): Promise<NmapResult> {
  const job = {
    options,
    targets,
    exclude: target.exclude,
    nic: target.segment.nic,
    timeoutMs: Math.ceil(seconds * 1000),
  }
  const result = parseNmapXml(await ports.nmap(job, signal))
  if (!result.finished) throw new MarshlightError('SCAN_FAILED', { why: 'an output that breaks off' })
  const within = (ip: string) => target.ranges.some((range) => contains(range, ip))
  return { ...result, hosts: result.hosts.filter((one) => within(one.ip) && !isDecoy(one)) }
}

async function tell(
  ports: PassPorts,
  { target, inventory }: PassContext,
  found: readonly FoundHost[],
  kind: Pick<Look, 'kind' | 'scanned'>,
): Promise<void> {
  for (const one of found) if (one.mac && !one.vendor) Object.assign(one, vendorField(await ports.vendor(one.mac)))
  const hosts = takeIn(inventory, found, { at: isoNow(ports.clock), cidr: target.segment.cidr, ...kind })
  if (hosts.length > 0) await ports.onHosts(hosts)
}

const vendorField = (vendor: string | undefined) => (vendor ? { vendor } : {})

const pace = (maxRate: number): string[] => ['-T3', '--max-rate', String(maxRate)]

/** Seconds for one question to each address at this rate. */
const sweepCost = (sweep: readonly string[], { maxRate }: PassContext): number =>
  sweep.reduce((sum, cidr) => sum + parseNetwork(cidr).last - parseNetwork(cidr).first + 1, 0) / maxRate

/** The ranges in parts of at most 1,024 addresses; small ranges share a run. */
export function sweepsOf(ranges: readonly string[]): string[][] {
  const prefixOfSweep = 32 - Math.log2(sweepSize)
  const pieces = ranges.flatMap((range) => {
    const { first, last, prefix } = parseNetwork(range)
    if (prefix >= prefixOfSweep) return [range]
    const count = (last - first + 1) / sweepSize
    return Array.from({ length: count }, (_, i) => `${numberToIp(first + i * sweepSize)}/${prefixOfSweep}`)
  })
  const sweeps: string[][] = []
  let room = 0
  for (const piece of pieces) {
    const { first, last } = parseNetwork(piece)
    room -= last - first + 1
    const sweep = sweeps.at(-1)
    if (sweep && room >= 0) sweep.push(piece)
    else {
      sweeps.push([piece])
      room = sweepSize - (last - first + 1)
    }
  }
  return sweeps
}

export const groupsOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
