import { newId } from '../../shared/ids.ts'
import { canonicalCidr } from '../../shared/network.ts'
import type { SegmentSeen } from '../../shared/schemas/inventory.ts'
import type { Sql } from '../store/port.ts'

type Row = { segment: string; cidr: string | null; site: string; name: string; segment_cidr: string | null }

/** The segment of one of the agent's networks, if it is known. */
export async function segmentOf(sql: Sql, agent: string, cidr: string): Promise<string | undefined> {
  const row = await sql.get<{ segment: string }>(
    'SELECT segment FROM agent_segments WHERE agent = ? AND cidr = ?',
    agent,
    canonicalCidr(cidr),
  )
  return row?.segment
}

/**
 * Puts a card of an agent into its segment and returns that segment. The first network is that of the segment the
 * agent was enrolled for; each further one gets a segment of its own, `<name>-<card>`, or joins the one of its site
 * that has the same network already. An agent that is enrolled for nothing is unknown here: undefined.
 */
export async function placeCard(
  sql: Sql,
  agent: string,
  seen: Omit<SegmentSeen, 'type' | 'at'>,
  now: number,
): Promise<string | undefined> {
  const cidr = canonicalCidr(seen.cidr)
  const rows = await sql.all<Row>(
    `SELECT a.segment, a.cidr, s.site, s.name, s.cidr AS segment_cidr FROM agent_segments a JOIN segments s ON s.id = a.segment
     WHERE a.agent = ? ORDER BY LENGTH(s.name), s.name`,
    agent,
  )
  // Further segments extend its name, so the shortest is the one of the enrolment.
  const [home] = rows
  if (!home) return undefined
  const known = rows.find((row) => row.cidr === cidr)
  const free = rows.find((row) => row.cidr === null && (row.segment_cidr === null || row.segment_cidr === cidr))
  const segment = (known ?? free)?.segment ?? (await siblingSegment(sql, home, cidr, seen.nic, now))
  await sql.run(
    `INSERT INTO agent_segments (agent, segment, cidr, nic, address, mac, gateway, dns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent, segment) DO UPDATE SET cidr = excluded.cidr, nic = excluded.nic, address = excluded.address,
       mac = excluded.mac, gateway = excluded.gateway, dns = excluded.dns`,
    agent,
    segment,
    cidr,
    seen.nic,
    seen.address,
    seen.mac,
    seen.gateway ?? null,
    JSON.stringify(seen.dns),
  )
  await sql.run(
    'UPDATE segments SET cidr = ?, gateway = COALESCE(?, gateway) WHERE id = ?',
    cidr,
    seen.gateway ?? null,
    segment,
  )
  return segment
}

async function siblingSegment(sql: Sql, home: Row, cidr: string, nic: string, now: number): Promise<string> {
  const same = await sql.get<{ id: string }>('SELECT id FROM segments WHERE site = ? AND cidr = ?', home.site, cidr)
  if (same) return same.id
  const id = newId(now)
  const base = `${home.name}-${nic}`
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`
    const taken = await sql.get('SELECT 1 AS x FROM segments WHERE site = ? AND name = ?', home.site, name)
    if (taken) continue
    await sql.run('INSERT INTO segments (id, site, name, cidr) VALUES (?, ?, ?, ?)', id, home.site, name, cidr)
    return id
  }
}
