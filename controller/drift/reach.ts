import type { Profile } from '../../shared/schemas/baseline.ts'
import { type Drift, type DriftEffect, mostDelayMs } from '../../shared/schemas/drift.ts'
import { expectedProfile } from './expected.ts'

/** Who applies drift to a port: Cowrie to its own sessions, the pod's network to packets of all others. */
export type Reach = 'cowrie' | 'tcp' | 'udp'

/**
 * What becomes of an effect at a port: nothing (undefined), or what it does there, empty where that is what it says. Packets
 * know neither disks nor listings; in plain text alone a digit can stand for another; a datagram has no reset.
 */
export function effectAt(effect: DriftEffect, reach: Reach): string | undefined {
  if (reach === 'cowrie' && effect.type === 'error' && effect.kind === 'refused')
    return 'and of further sessions in an open one'
  if (reach === 'cowrie' || effect.type === 'latency' || effect.type === 'schedule') return ''
  if (effect.type === 'error') {
    if (effect.kind === 'disk') return undefined
    if (effect.kind === 'busy') return `as a wait of ${mostDelayMs} ms`
    if (reach === 'tcp') return effect.kind === 'timeout' ? 'as a connection that never opens' : ''
    if (effect.kind === 'reset') return undefined
    return effect.kind === 'refused' ? 'as a closed port, told by ICMP' : ''
  }
  if (reach === 'udp' || effect.what === 'listing') return undefined
  return 'as digits changed in plain text'
}

/**
 * The baseline as it will be seen at such a port. A busy port of the pod's network is late, and tells no error; a datagram
 * that is refused or lost is no error of a conversation, since there was none.
 */
export function expectedAt(baseline: Profile, drift: Drift, reach: Reach): Profile {
  const all = driftAt(drift, reach)?.effects ?? []
  const felt = all.filter((effect) => reach !== 'udp' || effect.type !== 'error' || effect.kind === 'busy')
  const late = felt.filter((effect) => reach !== 'cowrie' && effect.type === 'error' && effect.kind === 'busy')
  const rest = felt.filter((effect) => !late.includes(effect))
  const expected = rest.length === 0 ? baseline : expectedProfile(baseline, { seed: drift.seed, effects: rest })
  const delays = expected['response.delay']
  const share = late.reduce((sum, effect) => sum + (effect.type === 'error' ? effect.share : 0), 0)
  if (share === 0 || delays?.form !== 'sample') return expected
  // Evenly over the sample: one of twenty is each twentieth.
  const values = delays.values.map((value, i) =>
    Math.floor((i + 1) * share) > Math.floor(i * share) ? Math.max(value, mostDelayMs) : value,
  )
  return { ...expected, 'response.delay': { ...delays, values } }
}

/** The part of a drift that a port feels; undefined where it feels none. */
export function driftAt({ seed, effects }: Drift, reach: Reach): Drift | undefined {
  const felt = effects.filter((effect) => effectAt(effect, reach) !== undefined)
  return felt.length === 0 ? undefined : { seed, effects: felt }
}
