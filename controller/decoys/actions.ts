import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { ControllerConfig } from '../config.ts'
import { build, keepRecipe, readPersona, savePersona } from '../personas/index.ts'
import type { Sql } from '../store/port.ts'
import { freeAddressIn } from './address-choice.ts'
import { chooseMac } from './addresses.ts'
import { insertDecoy, leaveAddress, macsTaken, retireAt } from './decoy-writes.ts'
import { makePersonaActions, type PersonaActions } from './persona-actions.ts'
import { type Action, type Decoy, decoysOfSegment, type Origin, readDecoy, writeAction } from './records.ts'
import { agentsFor } from './situation.ts'

export type ActionDeps = { config: ControllerConfig; clock: Clock; random: Random; dataDir?: string; log?: Log }

/** What was done. Whoever asked emits `plan-changed` for `agent` after the commit. */
export type Done = {
  action: Action
  decoy: string
  hostname: string
  segment: string
  agent: string
  ip: string
  persona: string
  personaVersion: number
  what: string
  because: string
  /** Of a reconfiguration: the version that was made, and the one that was shown before. */
  made?: { version: number; before: number }
}

export type DeployOptions = {
  by?: Origin
  agent?: string
  /** Id of a template of the catalogue, instead of a choice by the segment's mix. */
  family?: string | undefined
}

/**
 * Changes of the desired state of decoys. Each runs in the transaction of `sql`, keeps what it did and why in
 * `decoy_actions`, and is nothing to an agent before its next plan.
 */
export interface DecoyActions extends PersonaActions {
  /** One more decoy. Throws CONFLICT where the segment is full or has no appliance online, NO_FREE_ADDRESS, NOT_FOUND for an unknown family. */
  deployOne(sql: Sql, segment: string, reason: string, options?: DeployOptions): Promise<Done>
  /** Another address; MAC and persona stay. */
  move(sql: Sql, decoy: string, reason: string, by?: Origin): Promise<Done>
  retire(sql: Sql, decoy: string, reason: string, by?: Origin): Promise<Done>
  /** An earlier version of its persona comes back; nothing restarts. */
  rollBack(sql: Sql, decoy: string, version: number, reason: string, by?: Origin): Promise<Done>
  /** Lets one that was seen to be unsafe come up again. Throws CONFLICT where it was not. */
  release(sql: Sql, decoy: string, reason: string, by?: Origin): Promise<Done>
  /** As `move`, after the address was lost: counted. */
  readdress(sql: Sql, decoy: string, reason: string): Promise<Done>
  /** As `retire`, after too many addresses were lost. */
  giveUp(sql: Sql, decoy: string, reason: string): Promise<Done>
  /** Reads the data files; call it before a transaction that must be short. */
  warm(): Promise<void>
}

export function makeDecoyActions(deps: ActionDeps): DecoyActions {
  const { config, clock, random } = deps
  const personas = makePersonaActions(deps, { wantedDecoy, note: done })

  async function deployOne(sql: Sql, segment: string, reason: string, options: DeployOptions = {}): Promise<Done> {
    const { by = 'response' } = options
    const here = await decoysOfSegment(sql, segment)
    if (here.length >= config.decoys.maxPerSegment)
      throw new MarshlightError('CONFLICT', {
        what: `the segment has ${here.length} decoys, the most allowed is ${config.decoys.maxPerSegment}`,
        next: 'Retire one, or raise decoys.maxPerSegment.',
      })
    const agents = await agentsFor(sql, segment)
    const agent = options.agent
      ? agents.find(({ id }) => id === options.agent)
      : [...agents].sort((a, b) => a.decoys - b.decoys)[0]
    if (!agent)
      throw new MarshlightError('CONFLICT', {
        what: 'no appliance of this segment is online and may host decoys',
        next: 'See `marshlight agents ls`.',
      })
    const now = clock.now()
    const ip = await freeAddressIn(sql, { segment, cidr: agent.cidr }, { config: config.decoys, random, now })
    const { catalogue, ouis, digest } = await personas.data()
    const { input, choice } = await personas.wished(sql, segment, options.family)
    const persona = build(input, catalogue, ouis)
    const mac = chooseMac(persona.mac.oui, await macsTaken(sql), random)
    const decoy: Decoy = {
      id: newId(now),
      segment,
      agent: agent.id,
      cidr: agent.cidr,
      ip,
      mac,
      hostname: persona.hostname,
      persona: persona.id,
      personaVersion: 1,
      status: 'wanted',
      origin: by,
      createdAt: isoNow(clock),
      changedAt: isoNow(clock),
      reason,
      tries: 0,
      releases: 0,
    }
    await savePersona(sql, persona, {
      segment,
      reason: choice.because,
      at: decoy.createdAt,
      status: personas.approval(),
      recipe: await keepRecipe(sql, input, digest),
    })
    await insertDecoy(sql, decoy, retireAt(config.decoys.rotation, random, now))
    return done(sql, 'deploy', decoy, by, reason, `${decoy.hostname} at ${ip} as ${choice.template.label}`)
  }

  async function rollBack(
    sql: Sql,
    id: string,
    version: number,
    reason: string,
    by: Origin = 'placement',
  ): Promise<Done> {
    const decoy = await wantedDecoy(sql, id)
    const persona = await readPersona(sql, decoy.persona, version)
    if (!persona)
      throw new MarshlightError('NOT_FOUND', {
        kind: 'persona version',
        value: version,
        command: `marshlight personas show ${decoy.persona}`,
      })
    await sql.run('UPDATE decoys SET persona_version = ?, changed_at = ? WHERE id = ?', version, isoNow(clock), id)
    const what = `version ${decoy.personaVersion} of its persona back to ${version}`
    return done(sql, 'roll-back', { ...decoy, personaVersion: version }, by, reason, what)
  }

  async function toAnotherAddress(
    sql: Sql,
    id: string,
    reason: string,
    by: Origin,
    action: 'move' | 'readdress',
  ): Promise<Done> {
    const decoy = await wantedDecoy(sql, id)
    const ip = await freeAddressIn(sql, decoy, { config: config.decoys, random, now: clock.now() })
    const at = isoNow(clock)
    await leaveAddress(sql, id, at, reason)
    await sql.run(
      'INSERT INTO decoy_addresses (decoy, segment, ip, from_at) VALUES (?, ?, ?, ?)',
      id,
      decoy.segment,
      ip,
      at,
    )
    await sql.run(
      'UPDATE decoys SET ip = ?, changed_at = ?, tries = tries + ? WHERE id = ?',
      ip,
      at,
      action === 'readdress' ? 1 : 0,
      id,
    )
    return done(sql, action, { ...decoy, ip }, by, reason, `${decoy.hostname} from ${decoy.ip} to ${ip}`)
  }

  async function leave(sql: Sql, id: string, reason: string, by: Origin, action: 'retire' | 'give-up'): Promise<Done> {
    const decoy = await wantedDecoy(sql, id)
    const at = isoNow(clock)
    await leaveAddress(sql, id, at, reason)
    await sql.run(
      "UPDATE decoys SET status = 'retired', retired_at = ?, changed_at = ?, retire_at = NULL WHERE id = ?",
      at,
      at,
      id,
    )
    return done(sql, action, decoy, by, reason, `${decoy.hostname} leaves ${decoy.ip}`)
  }

  async function release(sql: Sql, id: string, reason: string, by: Origin = 'admin'): Promise<Done> {
    const decoy = await wantedDecoy(sql, id)
    if (!decoy.condemned)
      throw new MarshlightError('CONFLICT', {
        what: `decoy ${decoy.hostname} was not taken down as unsafe`,
        next: 'See `marshlight decoys show` for what is the matter with it.',
      })
    await sql.run(
      'UPDATE decoys SET condemned_at = NULL, condemned_why = NULL, releases = releases + 1, changed_at = ? WHERE id = ?',
      isoNow(clock),
      id,
    )
    return done(sql, 'release', decoy, by, reason, `may come up again; it was down since ${decoy.condemned.at}`)
  }

  async function done(sql: Sql, action: Action, decoy: Decoy, by: Origin, reason: string, what: string): Promise<Done> {
    const { id, segment, agent, hostname, ip, persona, personaVersion } = decoy
    await writeAction(sql, { at: isoNow(clock), action, segment, decoy: id, agent, by, reason, what })
    return { action, decoy: id, hostname, segment, agent, ip, persona, personaVersion, what, because: reason }
  }

  return {
    deployOne,
    rollBack,
    release,
    move: (sql, id, reason, by = 'response') => toAnotherAddress(sql, id, reason, by, 'move'),
    retire: (sql, id, reason, by = 'response') => leave(sql, id, reason, by, 'retire'),
    readdress: (sql, id, reason) => toAnotherAddress(sql, id, reason, 'placement', 'readdress'),
    giveUp: (sql, id, reason) => leave(sql, id, reason, 'placement', 'give-up'),
    ...personas,
    warm: async () => void (await personas.data()),
  }
}

async function wantedDecoy(sql: Sql, id: string): Promise<Decoy> {
  const decoy = await readDecoy(sql, id)
  if (!decoy) throw new MarshlightError('NOT_FOUND', { kind: 'decoy', value: id, command: 'marshlight decoys ls' })
  if (decoy.status === 'retired')
    throw new MarshlightError('CONFLICT', {
      what: `decoy ${decoy.hostname} is retired since ${decoy.retiredAt ?? 'some time'}`,
      next: 'Deploy another with `marshlight decoys deploy`.',
    })
  return decoy
}
