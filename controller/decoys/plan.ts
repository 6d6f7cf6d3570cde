import { canonicalCidr, overlaps } from '../../shared/network.ts'
import type { DesiredDecoy, Plan, ScanPolicy } from '../../shared/schemas/desired-state.ts'
import type { DecoyDrift } from '../../shared/schemas/drift.ts'
import type { TrafficPattern } from '../../shared/schemas/mimicry.ts'
import type { ObservationPolicy } from '../../shared/schemas/observation.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import { containersOf } from '../../shared/services.ts'
import type { ControllerConfig } from '../config.ts'
import { readPersona, statusOf } from '../personas/index.ts'
import type { Sql } from '../store/port.ts'
import { mimicryOf, readyOf } from './mimicry.ts'
import { type Decoy, decoysOfAgent, decoysOfSegment } from './records.ts'

export type PlanDeps = {
  config: ControllerConfig
  /** Networks that nobody may block, from whoever keeps that list. */
  neverBlock(sql: Sql): Promise<string[]>
  /** Drift in force at the agent's decoys; those that are not in it have none. */
  drifts?(sql: Sql, agent: string): Promise<ReadonlyMap<string, DecoyDrift>>
  /** The shape of a segment's traffic that its decoys imitate; empty: what their agent saw itself. */
  patterns?(sql: Sql, segment: string): Promise<TrafficPattern[]>
  /** Networks of the agent whose own traffic may be looked at; without it nothing is observed at all. */
  watched?(sql: Sql, agent: string): Promise<string[]>
  /** Networks of which the agent shall keep nothing that it saw. */
  forgotten?(sql: Sql, agent: string): Promise<string[]>
}

export type PlanBody = Pick<Plan, 'decoys' | 'personas' | 'scan' | 'neverBlock'> & { observe?: ObservationPolicy }

/** What an agent shall bring about, in a fixed order, so that the same state gives the same document. */
export async function composePlan(sql: Sql, agent: string, deps: PlanDeps): Promise<PlanBody> {
  const { config, neverBlock } = deps
  const drifts = await deps.drifts?.(sql, agent)
  const decoys: DesiredDecoy[] = []
  const personas = new Map<string, Persona>()
  const readyIn = readyBySegment(sql, config)
  for (const decoy of await decoysOfAgent(sql, agent)) {
    const persona = await readPersona(sql, decoy.persona, decoy.personaVersion)
    // What waits for an administrator's approval is not shown to anybody.
    if (!persona || (await statusOf(sql, persona.id, persona.version)) !== 'approved') continue
    const services = config.decoys.services ? containersOf(persona) : (['cowrie'] as const)
    if (services.length === 0 || (!config.decoys.services && !persona.ssh && !persona.telnet)) continue
    const drift = drifts?.get(decoy.id)
    personas.set(`${persona.id} ${persona.version}`, persona)
    decoys.push({
      id: decoy.id,
      cidr: decoy.cidr,
      ip: decoy.ip,
      mac: decoy.mac,
      hostname: decoy.hostname,
      persona: decoy.persona,
      personaVersion: decoy.personaVersion,
      services: [...services],
      egress: config.decoys.egress,
      limits: config.decoys.limits,
      ...(decoy.condemned && { condemned: true }),
      ...(decoy.releases > 0 && { releases: decoy.releases }),
      ...(drift && { drift }),
      ...mimicryOf(config, {
        decoy,
        ready: await readyIn(decoy.segment),
        ...(config.mimicry.level !== 'off' && { patterns: (await deps.patterns?.(sql, decoy.segment)) ?? [] }),
      }),
    })
  }
  const watched = await deps.watched?.(sql, agent)
  return {
    decoys,
    personas: [...personas.values()],
    scan: await scanPolicyFor(sql, agent, config),
    ...(watched && { observe: observationOf(config, watched, (await deps.forgotten?.(sql, agent)) ?? []) }),
    neverBlock: await neverBlock(sql),
  }
}

function observationOf(
  { observe: { except, ...rest } }: ControllerConfig,
  watched: readonly string[],
  forgotten: readonly string[],
) {
  const segments = watched.filter((cidr) => !except.some((one) => overlaps(one, cidr)))
  const listed = (cidrs: readonly string[]) => [...new Set(cidrs.map(canonicalCidr))].sort().slice(0, 64)
  return { ...rest, segments: listed(segments), ...(forgotten.length > 0 && { forget: listed(forgotten) }) }
}

/** Decoys of a segment that answer, asked for once; none where it makes no difference. */
function readyBySegment(sql: Sql, { mimicry: { level, peers } }: ControllerConfig) {
  const known = new Map<string, Decoy[]>()
  return async (segment: string): Promise<Decoy[]> => {
    if (level === 'off' || !peers) return []
    const held = known.get(segment) ?? readyOf(await decoysOfSegment(sql, segment))
    known.set(segment, held)
    return held
  }
}

/** MACs of decoys of the whole fleet in the agent's segments: no scan takes them for hosts, not even after they left. */
async function scanPolicyFor(sql: Sql, agent: string, { scan }: ControllerConfig): Promise<ScanPolicy> {
  const macs = await sql.all<{ mac: string }>(
    `SELECT mac FROM decoys WHERE segment IN (SELECT segment FROM agent_segments WHERE agent = ?)
     ORDER BY status DESC, changed_at DESC LIMIT 4096`,
    agent,
  )
  return {
    enabled: scan.enabled,
    ranges: scan.ranges,
    exclude: scan.exclude,
    decoyMacs: macs.map(({ mac }) => mac).sort(),
    maxRate: scan.maxRate,
    quickEverySeconds: scan.quickEverySeconds,
    detailEverySeconds: scan.detailEverySeconds,
    fullPictureEverySeconds: scan.fullPictureEverySeconds,
    maxHosts: scan.maxHosts,
  }
}
