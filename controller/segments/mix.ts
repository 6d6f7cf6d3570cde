import type { Host } from './host.ts'

export type Share = { name: string; count: number }
export type Mix = { systems: Share[]; services: Share[]; vendors: Share[] }

/** What the hosts that are up are made of: systems, services and vendors, most frequent first. */
export function mixOf(hosts: readonly Host[]): Mix {
  const up = hosts.filter(({ status }) => status === 'up')
  return {
    systems: count(up.map(systemOf)),
    services: count(
      up.flatMap((host) => [...new Set(host.ports.map(({ service, port }) => service ?? `port ${port}`))]),
    ),
    vendors: count(up.map(({ vendor }) => vendor ?? 'unknown')),
  }
}

/** What its own services say of a distribution: more precise than what its packets look like. */
const distributions: readonly (readonly [RegExp, string])[] = [
  [/raspbian|raspberry/i, 'Raspberry Pi OS'],
  [/ubuntu/i, 'Ubuntu'],
  [/debian|\+deb\d/i, 'Debian'],
  [/rocky/i, 'Rocky Linux'],
  [/almalinux/i, 'AlmaLinux'],
  [/red ?hat|\bel[789]\b|centos/i, 'Red Hat family'],
  [/openwrt/i, 'OpenWrt'],
  [/busybox|dropbear/i, 'Embedded Linux'],
  [/microsoft|windows/i, 'Windows'],
  [/freebsd/i, 'FreeBSD'],
]

/** The system of a host in a word or two: by what its services say, else by nmap's best guess, else `unknown`. */
export function systemOf({ ports, os }: Pick<Host, 'ports' | 'os'>): string {
  const said = ports
    .flatMap(({ product, version, extra, scripts }) => [product, version, extra, scripts?.banner])
    .filter((text) => text !== undefined)
    .join(' ')
  const found = distributions.find(([pattern]) => pattern.test(said))
  if (found) return found[1]
  const best = [...os].sort((a, b) => b.accuracy - a.accuracy)[0]
  if (!best) return 'unknown'
  return distributions.find(([pattern]) => pattern.test(best.name))?.[1] ?? best.family ?? best.name
}

function count(names: readonly string[]): Share[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .map(([name, n]) => ({ name, count: n }))
    .sort((a, b) => b.count - a.count || a.name.localeCompare(b.name))
}
