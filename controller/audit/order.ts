import { MarshlightError } from '../../shared/errors.ts'
import type { Random } from '../../shared/random.ts'
import type { AuditNeighbour, Request, Vantage } from '../../shared/schemas/desired-state.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { ControllerConfig } from '../config.ts'
import { chooseMac, freeAddressIn, macsTaken, readDecoy } from '../decoys/index.ts'
import { readPersona } from '../personas/index.ts'
import { type Host, hostsOf } from '../segments/index.ts'
import type { Sql } from '../store/port.ts'
import type { Run } from './runs.ts'

type Deps = { config: ControllerConfig; random: Random }
type Order = Extract<Request['op'], { name: 'audit' | 'touch' }>

const most = 4
const portsEach = 1024
const [lowestPort, highestPort] = [20_000, 60_000]
export const auditSeconds = 280
export const touchSeconds = 30

/**
 * The order for a run, whose place is drawn and written down in the same transaction: from then on what comes from
 * there is ours. Throws CONFLICT, NO_FREE_ADDRESS.
 */
export async function orderFor(sql: Sql, run: Run, { config, random }: Deps, now: number): Promise<Order> {
  const decoy = await readDecoy(sql, run.decoy)
  const persona = decoy && (await readPersona(sql, decoy.persona, decoy.personaVersion))
  if (!decoy || !persona || decoy.status !== 'wanted')
    throw new MarshlightError('CONFLICT', { what: 'the decoy is no more', next: 'See `marshlight decoys ls`.' })
  const beside = besides(persona, await hostsOf(sql, decoy.segment))
  const from: Vantage = {
    ip: await freeAddressIn(sql, decoy, { config: config.decoys, random, now }),
    // Of a maker that is known here: the place shall be no stranger to the segment.
    mac: chooseMac((beside[0]?.mac ?? decoy.mac).slice(0, 8), await macsTaken(sql), random),
    ...portsFrom(random),
  }
  const seconds = run.kind === 'audit' ? auditSeconds : touchSeconds
  const username = run.kind === 'touch' ? `m${text(random, 11, 'abcdefghijkmnpqrstuvwxyz23456789')}` : null
  await sql.run(
    `UPDATE audit_runs SET status = 'running', tries = tries + 1, agent = ?, persona_version = ?, ip = ?, mac = ?, port_from = ?,
       port_to = ?, from_at = ?, until_at = ?, username = ? WHERE id = ?`,
    decoy.agent,
    decoy.personaVersion,
    from.ip,
    from.mac,
    from.portFrom,
    from.portTo,
    new Date(now).toISOString(),
    new Date(now + seconds * 1000).toISOString(),
    // Without log-ins, that something came from the place is all there is to be seen.
    username !== null && !persona.ssh && !persona.telnet ? '' : username,
    run.id,
  )
  if (username === null) return { name: 'audit', audit: run.id, decoy: decoy.id, from, beside }
  const password = text(random, 12, 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789')
  return { name: 'touch', decoy: decoy.id, from, username, password }
}

const portsFrom = (random: Random) => {
  const portFrom = lowestPort + Math.floor(random() * (highestPort - lowestPort))
  return { portFrom, portTo: portFrom + portsEach - 1 }
}

const text = (random: Random, length: number, letters: string): string =>
  Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('')

/** Real hosts like the persona: those with its SSH server first, then those that share the most ports. Pure. */
export function besides(persona: Persona, hosts: readonly Host[]): AuditNeighbour[] {
  const own = [
    ...(persona.ssh ? [22] : []),
    ...(persona.telnet ? [23] : []),
    ...(persona.services ?? []).map((one) => one.port),
  ]
  const make = persona.ssh?.banner.replace(/^SSH-[\d.]+-/, '').split(/[_ ]/)[0]
  const likeness = ({ ports }: Host): number => {
    const ssh = ports.find(({ port }) => port === 22)
    return ports.filter(({ port }) => own.includes(port)).length + (make && ssh?.product === make ? 2 : 0)
  }
  return hosts
    .filter((host) => host.status === 'up' && likeness(host) > 0)
    .sort((a, b) => likeness(b) - likeness(a))
    .slice(0, most)
    .map(({ ip, mac, vendor, names, ports, os: [system] }) => ({
      ip,
      ...(mac !== undefined && { mac }),
      ...(vendor !== undefined && { vendor }),
      names: names.slice(0, 8),
      ports: ports
        .filter(({ proto }) => proto === 'tcp')
        .map(({ port }) => port)
        .slice(0, 64),
      ...(system !== undefined && { system: system.name }),
      ...(system?.family !== undefined && { systemFamily: system.family }),
    }))
}
