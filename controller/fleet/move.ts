import { MarshlightError } from '../../shared/errors.ts'
import { canonicalCidr } from '../../shared/network.ts'
import type { Sql } from '../store/port.ts'
import type { Agent } from './agents.ts'
import { segmentNamed } from './claims.ts'
import { noteEvent } from './history.ts'
import { tagByPlace } from './sites.ts'

export type Moved = {
  agent: string
  name: string
  from: string[]
  to: string
  /** Id of the segment. */
  segment: string
  /** Decoys that leave the segments where it was. */
  retired: { id: string; hostname: string; ip: string; segment: string }[]
  /** The network it stands in, where it stays; else it tells the new one when it is plugged in there. */
  cidr: string | null
}
export type MoveWish = {
  site: string
  segment: string
  /** It is not carried anywhere: only its place is called otherwise. */
  stays: boolean
  now: number
}
export type MovePorts = {
  /** Retires a decoy, in the transaction of `sql`. */
  retire(sql: Sql, decoy: string, reason: string): Promise<unknown>
}

/**
 * Another segment for a box, in one transaction: its decoys leave the old one, its cards are forgotten.
 *
 *   carried -> its networks are noted as left -> it tells its new card -> placement deploys there
 *   stays   -> its first card goes along      -> placement deploys at once
 *
 * Throws CONFLICT where it is there already, or is to stay in a network that the segment does not have.
 */
export async function moveAgent(sql: Sql, agent: Agent, wish: MoveWish, ports: MovePorts): Promise<Moved> {
  const { site, segment, stays, now } = wish
  const to = `${site}/${segment}`
  const at = new Date(now).toISOString()
  if (agent.status !== 'enrolled')
    throw new MarshlightError('CONFLICT', {
      what: `${agent.name} is revoked`,
      next: 'Enrol it anew where it shall stand.',
    })
  const from = agent.segments.map((one) => `${one.site}/${one.name}`)
  if (from.includes(to))
    throw new MarshlightError('CONFLICT', {
      what: `${agent.name} stands in ${to} already`,
      next: 'Nothing is to be done.',
    })
  const target = await segmentNamed(sql, site, segment, now)
  const card = await homeCard(sql, agent.id)
  if (stays) await mustFit(sql, agent.name, to, target, card?.cidr ?? null)
  const retired = await decoysOf(sql, agent.id)
  for (const { id } of retired) await ports.retire(sql, id, `its appliance ${agent.name} was moved to ${to}`)
  await sql.run('DELETE FROM agent_left WHERE agent = ?', agent.id)
  if (!stays)
    for (const { cidr } of agent.segments)
      if (cidr !== null) await sql.run('INSERT INTO agent_left VALUES (?, ?, ?)', agent.id, canonicalCidr(cidr), at)
  await sql.run('DELETE FROM agent_segments WHERE agent = ?', agent.id)
  const kept = stays ? card : undefined
  await sql.run(
    `INSERT INTO agent_segments (agent, segment, cidr, nic, address, mac, gateway, dns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[agent.id, target, kept?.cidr ?? null, kept?.nic ?? null, kept?.address ?? null],
    ...[kept?.mac ?? null, kept?.gateway ?? null, kept?.dns ?? null],
  )
  if (kept?.cidr) await sql.run('UPDATE segments SET cidr = ? WHERE id = ? AND cidr IS NULL', kept.cidr, target)
  await tagByPlace(sql, agent.id, target)
  // A box that takes its place shall come to where it now stands.
  await sql.run('UPDATE claims SET segment = ? WHERE replaces = ? AND used_at IS NULL', target, agent.id)
  const detail = `from ${from.join(', ') || 'nowhere'} to ${to}; ${retired.length} decoys leave`
  await noteEvent(sql, { agent: agent.id, at, kind: 'moved', detail })
  return { agent: agent.id, name: agent.name, from, to, segment: target, retired, cidr: kept?.cidr ?? null }
}

type Card = Record<'cidr' | 'nic' | 'address' | 'mac' | 'gateway' | 'dns', string | null>

/** Of the segment it was enrolled for, whose name the others extend. */
const homeCard = (sql: Sql, agent: string) =>
  sql.get<Card>(
    `SELECT a.cidr, a.nic, a.address, a.mac, a.gateway, a.dns FROM agent_segments a JOIN segments s ON s.id = a.segment
     WHERE a.agent = ? ORDER BY LENGTH(s.name), s.name LIMIT 1`,
    agent,
  )

async function mustFit(sql: Sql, name: string, to: string, target: string, cidr: string | null): Promise<void> {
  const known = await sql.get<{ cidr: string | null }>('SELECT cidr FROM segments WHERE id = ?', target)
  if (!known?.cidr || cidr === null || known.cidr === cidr) return
  throw new MarshlightError('CONFLICT', {
    what: `${name} stands in ${cidr}, and ${to} is ${known.cidr}`,
    next: 'Carry it there: move it without --stays, and plug it in there.',
  })
}

const decoysOf = (sql: Sql, agent: string) =>
  sql.all<Moved['retired'][number]>(
    `SELECT d.id, d.hostname, d.ip, s.name AS segment FROM decoys d JOIN segments s ON s.id = d.segment
     WHERE d.agent = ? AND d.status = 'wanted' ORDER BY d.id`,
    agent,
  )
