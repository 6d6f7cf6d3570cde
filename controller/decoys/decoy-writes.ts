import type { Random } from '../../shared/random.ts'
import type { ControllerConfig } from '../config.ts'
import type { Sql } from '../store/port.ts'
import type { Decoy } from './records.ts'

export async function insertDecoy(sql: Sql, decoy: Decoy, until: string | undefined): Promise<void> {
  await sql.run(
    `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason, retire_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    decoy.id,
    decoy.segment,
    decoy.agent,
    decoy.cidr,
    decoy.ip,
    decoy.mac,
    decoy.hostname,
    decoy.persona,
    decoy.personaVersion,
    decoy.status,
    decoy.origin,
    decoy.createdAt,
    decoy.createdAt,
    decoy.reason.slice(0, 512),
    until ?? null,
  )
  await sql.run(
    'INSERT INTO decoy_addresses (decoy, segment, ip, from_at) VALUES (?, ?, ?, ?)',
    decoy.id,
    decoy.segment,
    decoy.ip,
    decoy.createdAt,
  )
}

export const leaveAddress = (sql: Sql, decoy: string, at: string, why: string) =>
  sql.run(
    'UPDATE decoy_addresses SET until_at = ?, why = ? WHERE decoy = ? AND until_at IS NULL',
    at,
    why.slice(0, 512),
    decoy,
  )

export async function macsTaken(sql: Sql): Promise<Set<string>> {
  const rows = await sql.all<{ mac: string }>(
    'SELECT mac FROM decoys UNION SELECT mac FROM hosts WHERE mac IS NOT NULL UNION SELECT mac FROM agent_segments WHERE mac IS NOT NULL',
  )
  return new Set(rows.map(({ mac }) => mac))
}

/** When a new decoy shall go again, at a random time within the limits; never where none are set. */
export function retireAt(
  { minHours, maxHours }: ControllerConfig['decoys']['rotation'],
  random: Random,
  now: number,
): string | undefined {
  if (maxHours <= 0) return undefined
  const hours = minHours + random() * Math.max(0, maxHours - minHours)
  return new Date(now + hours * 3_600_000).toISOString()
}

export const seedOf = (random: Random) =>
  [0, 0, 0, 0]
    .map(() =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('')
