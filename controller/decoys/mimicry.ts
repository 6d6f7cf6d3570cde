import { seededRandom } from '../../shared/random.ts'
import type { DesiredDecoy } from '../../shared/schemas/desired-state.ts'
import type { MimicryTarget, TrafficPattern } from '../../shared/schemas/mimicry.ts'
import type { ControllerConfig } from '../config.ts'
import { type Decoy, phaseOf } from './records.ts'

/** Ports that peers answer each other on: no service of a persona listens there, and no system draws its own from there. */
const peerPorts = { from: 21_000, count: 4000 }
/** Most that the contract takes, of either. */
const most = 64

export type MimicryInput = {
  decoy: Pick<Decoy, 'id' | 'ip'>
  /** Decoys of its segment that answer; it may be among them. */
  ready: readonly Pick<Decoy, 'id' | 'ip'>[]
  /** Shape of the segment's traffic; empty: what the agent saw itself. */
  patterns?: readonly TrafficPattern[]
}

/**
 * What a decoy shall do by itself. Its targets are no part of its egress: the pod lets out to them only the one process that
 * mimics, by its account, and an attacker in a service as little as before. Undefined where mimicry is off, or where there is
 * nobody to talk to. Pure.
 */
export function mimicryOf(
  { mimicry: settings }: ControllerConfig,
  { decoy, ready, patterns = [] }: MimicryInput,
): Required<Pick<DesiredDecoy, 'mimicry'>> | undefined {
  const { level, resolvers, updates, clocks, peers, ...rest } = settings
  if (level === 'off') return undefined
  const seed = `mimicry/${decoy.id}`
  const others = peers ? ready.filter(({ id }) => id !== decoy.id).slice(0, most) : []
  const named = [...new Set(updates.flatMap(({ names }) => names))]
  const targets: MimicryTarget[] = [
    ...resolvers.map(({ ip, port, names }) => ({
      role: 'resolver' as const,
      ip,
      port,
      proto: 'udp' as const,
      names: (names.length > 0 ? names : named).slice(0, 32),
    })),
    ...updates.map(({ ip, port, names }) => ({ role: 'updates' as const, ip, port, proto: 'tcp' as const, names })),
    ...clocks.map(({ ip, port }) => ({ role: 'clock' as const, ip, port, proto: 'udp' as const, names: [] })),
    ...others.map(({ id, ip }) => ({
      role: 'peer' as const,
      ip,
      port: peerPortOf(id),
      proto: 'tcp' as const,
      names: [],
    })),
  ].slice(0, most)
  if (targets.length === 0) return undefined
  return {
    mimicry: {
      seed,
      mimicryLevel: level,
      ...rest,
      targets,
      ...(others.length > 0 && {
        answerOn: { port: peerPortOf(decoy.id), peers: others.map(({ ip }) => ip) },
      }),
      patterns: patterns.slice(0, 32),
    },
  }
}

/** Where a decoy answers its peers: the same for all who ask. */
const peerPortOf = (id: string): number =>
  peerPorts.from + Math.floor(seededRandom(`mimicry/${id}/port`)() * peerPorts.count)

/** Who answers, in a fixed order. A decoy that left its address is none: somebody else may have it. */
export const readyOf = (decoys: readonly Decoy[]): Decoy[] =>
  decoys.filter((decoy) => phaseOf(decoy) === 'ready').sort((a, b) => a.id.localeCompare(b.id))
