import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import {
  type Approval,
  type BuildInput,
  build,
  type Catalogue,
  choose,
  isPlayable,
  loadPersonaData,
  type Neighbour,
  nextVersion,
  type PersonaData,
  readPersona,
  restored,
  savePersona,
  setApproved,
  type Template,
  templateOf,
} from '../personas/index.ts'
import { hostsOf, weekOf } from '../segments/index.ts'
import type { Sql } from '../store/port.ts'
import type { ActionDeps, Done } from './actions.ts'
import { seedOf } from './decoy-writes.ts'
import { type Action, type Decoy, decoysOfSegment, type Origin } from './records.ts'

export type Wished = { input: BuildInput; choice: { template: Template; because: string } }

/** Changes of which version of a persona a decoy shows; each in the transaction of `sql`. */
export interface PersonaActions {
  /** Another version of its persona; nothing restarts. Where approval is manual, it waits and the decoy goes on as it was. */
  reconfigure(sql: Sql, decoy: string, reason: string, by?: Origin): Promise<Done>
  /** What would be deployed now, without keeping it. */
  preview(sql: Sql, segment: string, family?: string): Promise<Persona>
  /** Lets the newest version of a persona be shown. Throws CONFLICT where it does not wait. */
  approve(sql: Sql, persona: string, reason: string): Promise<Done>
  /** An earlier version as the next one. */
  rollback(sql: Sql, persona: string, version: number, reason: string): Promise<Done>
  /** What personas are made from. */
  data(): Promise<PersonaData>
}

type Tools = {
  wantedDecoy(sql: Sql, id: string): Promise<Decoy>
  note(sql: Sql, action: Action, decoy: Decoy, by: Origin, reason: string, what: string): Promise<Done>
}

type Own = {
  /** What a new decoy of the segment would be made from. */
  wished(sql: Sql, segment: string, family: string | undefined): Promise<Wished>
  /** As what is new of a persona begins. */
  approval(): Approval
}

export function makePersonaActions(deps: ActionDeps, { wantedDecoy, note }: Tools): PersonaActions & Own {
  const { config, clock, random } = deps
  let loading: Promise<PersonaData> | undefined
  const data = () => {
    loading ??= load(deps)
    return loading
  }
  const approval = () => (config.personas.approval === 'manual' ? 'waiting' : 'approved')

  async function wished(sql: Sql, segment: string, family: string | undefined): Promise<Wished> {
    const { catalogue } = await data()
    const now = clock.now()
    const here = await decoysOfSegment(sql, segment)
    const neighbours: Neighbour[] = (await hostsOf(sql, segment)).filter(({ status }) => status === 'up')
    const playable = { services: config.decoys.services }
    const choice =
      family === undefined ? choose(catalogue, neighbours, random, playable) : named(catalogue, family, playable)
    const activity = await weekOf(sql, segment)
    const input: BuildInput = {
      id: newId(now),
      seed: seedOf(random),
      template: choice.template,
      because: choice.because,
      neighbours,
      taken: new Set(here.map(({ hostname }) => hostname.toLowerCase())),
      place: { locale: config.personas.locale, timezone: config.personas.timezone },
      ...(activity && { activity }),
      now,
    }
    return { input, choice }
  }

  async function preview(sql: Sql, segment: string, family?: string): Promise<Persona> {
    const { catalogue, ouis } = await data()
    return build((await wished(sql, segment, family)).input, catalogue, ouis)
  }

  async function reconfigure(sql: Sql, id: string, reason: string, by: Origin = 'response'): Promise<Done> {
    const decoy = await wantedDecoy(sql, id)
    const persona = await readPersona(sql, decoy.persona, decoy.personaVersion)
    if (!persona)
      throw new MarshlightError('NOT_FOUND', {
        kind: 'persona',
        value: decoy.persona,
        command: 'marshlight personas ls',
      })
    const { catalogue, digest } = await data()
    const newest = (await readPersona(sql, decoy.persona)) ?? persona
    const seed = seedOf(random)
    const made = {
      kind: 'next',
      of: persona.version,
      seed,
      because: reason,
      now: clock.now(),
      catalogue: digest,
    } as const
    // From what the decoy shows, which after a roll back is not the newest; the number goes on all the same.
    const next = nextVersion({ ...persona, version: newest.version }, reason, {
      catalogue,
      random: seededRandom(seed),
      now: made.now,
    })
    const status = approval()
    await savePersona(sql, next.persona, {
      segment: decoy.segment,
      reason: `${next.what}: ${reason}`,
      at: isoNow(clock),
      status,
      recipe: made,
    })
    // While it waits, the decoy goes on as it was.
    const shown = status === 'approved' ? await show(sql, decoy, next.persona.version) : decoy
    const what = status === 'approved' ? next.what : `${next.what}; it waits for approval`
    const done = await note(sql, 'reconfigure', shown, by, reason, what)
    return { ...done, made: { version: next.persona.version, before: decoy.personaVersion } }
  }

  async function show(sql: Sql, decoy: Decoy, version: number): Promise<Decoy> {
    const at = isoNow(clock)
    await sql.run('UPDATE decoys SET persona_version = ?, changed_at = ? WHERE id = ?', version, at, decoy.id)
    return { ...decoy, personaVersion: version }
  }

  async function decoyOf(sql: Sql, persona: string): Promise<Decoy> {
    const row = await sql.get<{ id: string }>(
      "SELECT id FROM decoys WHERE persona = ? ORDER BY CASE status WHEN 'wanted' THEN 0 ELSE 1 END, created_at DESC",
      persona,
    )
    return wantedDecoy(sql, row?.id ?? persona)
  }

  async function approve(sql: Sql, persona: string, reason: string): Promise<Done> {
    const decoy = await decoyOf(sql, persona)
    const newest = await sql.get<{ version: number; status: string }>(
      'SELECT version, status FROM personas WHERE id = ? ORDER BY version DESC',
      persona,
    )
    if (newest?.status !== 'waiting')
      throw new MarshlightError('CONFLICT', {
        what: `version ${newest?.version} of ${decoy.hostname} is approved already`,
        next: 'See `marshlight personas ls`.',
      })
    await setApproved(sql, persona, newest.version)
    const shown = await show(sql, decoy, newest.version)
    return note(sql, 'approve', shown, 'admin', reason, `${decoy.hostname} may show version ${newest.version}`)
  }

  async function rollback(sql: Sql, persona: string, version: number, reason: string): Promise<Done> {
    const decoy = await decoyOf(sql, persona)
    const [newest, old] = [await readPersona(sql, persona), await readPersona(sql, persona, version)]
    if (!newest || !old)
      throw new MarshlightError('NOT_FOUND', {
        kind: 'persona version',
        value: version,
        command: `marshlight personas show ${decoy.hostname}`,
      })
    if (version === newest.version)
      throw new MarshlightError('CONFLICT', {
        what: `version ${version} is the newest of ${decoy.hostname}`,
        next: 'Name an earlier one.',
      })
    const made = { kind: 'restore', of: version, because: reason, now: clock.now() } as const
    const next = restored(newest.version + 1, old, made)
    await savePersona(sql, next, {
      segment: decoy.segment,
      reason: `version ${version} again: ${reason}`,
      at: isoNow(clock),
      recipe: made,
    })
    const shown = await show(sql, decoy, next.version)
    return note(sql, 'roll-back', shown, 'admin', reason, `version ${version} again, as version ${next.version}`)
  }

  return { reconfigure, preview, approve, rollback, data, wished, approval }
}

/** A broken file of the administrator is said loudly, each time anew, and left out. */
async function load({ config, dataDir = '', log }: ActionDeps): Promise<PersonaData> {
  const { templates, threats } = config.personas
  const { refused, ...loaded } = await loadPersonaData({ dataDir, templates, threats })
  for (const { file, path, value, why, next } of refused)
    log?.error({ file, path, value, why, next }, 'a file of the administrator was refused; the others are used')
  return loaded
}

function named(catalogue: Catalogue, family: string, playable: { services: boolean }) {
  const template = templateOf(catalogue, family)
  if (!template)
    throw new MarshlightError('NOT_FOUND', { kind: 'family', value: family, command: 'marshlight personas catalogue' })
  if (!isPlayable(template, playable))
    throw new MarshlightError('CONFLICT', {
      what: `${template.label} has neither SSH nor telnet, and decoys have no other services here`,
      next: 'Set decoys.services to true.',
    })
  return { template, because: `${template.label}: an administrator asked for it` }
}
