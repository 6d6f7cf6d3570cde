import type { HostPort, OsGuess } from '../../shared/schemas/inventory.ts'
import type { Sql } from '../store/port.ts'

/** A host of a segment as it was last seen. Everything but `segment`, `status` and the times came from outside. */
export type Host = {
  segment: string
  ip: string
  mac?: string
  vendor?: string
  names: string[]
  os: OsGuess[]
  ports: HostPort[]
  depth: 'quick' | 'detail'
  status: 'up' | 'gone'
  firstSeen: string
  lastSeen: string
  goneAt?: string
}

export type HostRow = {
  segment: string
  ip: string
  mac: string | null
  vendor: string | null
  names: string
  os: string
  ports: string
  depth: Host['depth']
  status: Host['status']
  first_seen: string
  last_seen: string
  gone_at: string | null
}

export const toHost = (row: HostRow): Host => ({
  segment: row.segment,
  ip: row.ip,
  ...(row.mac !== null && { mac: row.mac }),
  ...(row.vendor !== null && { vendor: row.vendor }),
  names: JSON.parse(row.names) as string[],
  os: JSON.parse(row.os) as OsGuess[],
  ports: JSON.parse(row.ports) as HostPort[],
  depth: row.depth,
  status: row.status,
  firstSeen: row.first_seen,
  lastSeen: row.last_seen,
  ...(row.gone_at !== null && { goneAt: row.gone_at }),
})

export async function readHost(sql: Sql, segment: string, ip: string): Promise<Host | undefined> {
  const row = await sql.get<HostRow>('SELECT * FROM hosts WHERE segment = ? AND ip = ?', segment, ip)
  return row && toHost(row)
}

export async function writeHost(sql: Sql, host: Host, agent: string): Promise<void> {
  await sql.run(
    `INSERT INTO hosts (segment, ip, agent, mac, vendor, names, os, ports, depth, status, first_seen, last_seen, gone_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (segment, ip) DO UPDATE SET agent = excluded.agent, mac = excluded.mac, vendor = excluded.vendor, names = excluded.names,
       os = excluded.os, ports = excluded.ports, depth = excluded.depth, status = excluded.status, first_seen = excluded.first_seen,
       last_seen = excluded.last_seen, gone_at = excluded.gone_at`,
    host.segment,
    host.ip,
    agent,
    host.mac ?? null,
    host.vendor ?? null,
    JSON.stringify(host.names),
    JSON.stringify(host.os),
    JSON.stringify(host.ports),
    host.depth,
    host.status,
    host.firstSeen,
    host.lastSeen,
    host.goneAt ?? null,
  )
}
