import { isDeepStrictEqual } from 'node:util'
import type { HostPort, HostSeen } from '../../shared/schemas/inventory.ts'
import type { FoundHost } from './nmap-xml.ts'

export type Look = { at: string; cidr: string; kind: 'alive' | 'ports' | 'detail'; scanned: string }

/** A known host: as last told, and in how many quick passes running it did not answer. */
export type Known = { host: HostSeen; missed: number }
export type Inventory = Map<string, Known>

/** Quick passes in a row a host has to miss before it counts as gone. One lost ARP answer is no departure. */
export const missesUntilGone = 2

/** What is known of a host after a look at it. Another MAC at the address is another machine: nothing old stays. */
export function observe(before: HostSeen | undefined, found: FoundHost, look: Look): HostSeen {
  const known = before?.mac && found.mac && before.mac !== found.mac ? undefined : before
  const mac = found.mac ?? known?.mac
  const vendor = found.vendor ?? known?.vendor
  const complete = look.kind === 'detail' && !found.timedOut
  return {
    type: 'host',
    at: look.at,
    cidr: look.cidr,
    ip: found.ip,
    ...(mac ? { mac } : {}),
    ...(vendor ? { vendor } : {}),
    names: [...new Set([...(known?.names ?? []), ...found.names])].toSorted().slice(0, 8),
    depth: complete ? 'detail' : (known?.depth ?? 'quick'),
    ports: portsAfter(known?.ports ?? [], found, look),
    os: complete && found.os.length > 0 ? steadied(known?.os ?? [], found.os) : (known?.os ?? []),
  }
}

/** Ports that were looked at are as found; the others stay as known. A quick look does not wipe out details. */
function portsAfter(known: readonly HostPort[], found: FoundHost, look: Look): HostPort[] {
  if (look.kind === 'alive' || found.timedOut) return [...known]
  const looked = portSet(look.scanned)
  const after = new Map(
    known.filter((one) => one.proto !== 'tcp' || !looked.has(one.port)).map((one) => [keyOf(one), one]),
  )
  for (const one of found.ports) {
    const held = known.find((other) => keyOf(other) === keyOf(one))
    after.set(keyOf(one), look.kind === 'ports' && held ? held : one)
  }
  return [...after.values()].toSorted((a, b) => a.port - b.port || a.proto.localeCompare(b.proto)).slice(0, 1024)
}

/** nmap's guess wavers by a few percent from run to run; that alone is no change of the host. */
function steadied(known: HostSeen['os'], found: HostSeen['os']): HostSeen['os'] {
  const [a, b] = [known[0], found[0]]
  const same = a && b && a.family === b.family && Math.abs(a.accuracy - b.accuracy) <= waverPercent
  return same ? known : found
}
const waverPercent = 4

const keyOf = (one: HostPort): string => `${one.proto}/${one.port}`

/** `22,80-90` as a set. */
export function portSet(scanned: string): Set<number> {
  const ports = new Set<number>()
  for (const part of scanned.split(',')) {
    const [first, last = first] = part.split('-').map(Number)
    if (!first || !last || last > 65535) continue
    for (let port = first; port <= last; port++) ports.add(port)
  }
  return ports
}

/** Whether anything but the time differs. */
export const changed = (before: HostSeen | undefined, after: HostSeen): boolean =>
  before === undefined || !isDeepStrictEqual({ ...before, at: '' }, { ...after, at: '' })

/** Takes a look's hosts into the inventory; gives those that changed. */
export function takeIn(inventory: Inventory, found: readonly FoundHost[], look: Look): HostSeen[] {
  return found.flatMap((one) => {
    const known = inventory.get(one.ip)?.host
    const host = observe(known, one, look)
    const differs = changed(known, host)
    inventory.set(one.ip, { host: differs || !known ? host : known, missed: 0 })
    return differs ? [host] : []
  })
}

/** After a complete quick pass: who did not answer, in the part that was looked at. Gives those that are gone for good. */
export function takeOut(
  inventory: Inventory,
  answered: ReadonlySet<string>,
  lookedAt: (ip: string) => boolean,
): HostSeen[] {
  return [...inventory.values()].flatMap((known) => {
    if (answered.has(known.host.ip) || !lookedAt(known.host.ip)) return []
    known.missed += 1
    if (known.missed < missesUntilGone) return []
    inventory.delete(known.host.ip)
    return [known.host]
  })
}
