import { type Drift, type DriftEffect, mostDelayMs } from '../../shared/schemas/drift.ts'

/** Who applies drift to a port: Cowrie to its own sessions, the pod's network to packets of all others. */
export type Reach = 'cowrie' | 'tcp' | 'udp'

/**
 * What becomes of an effect at a port: nothing (undefined), or what it does there, empty where that is what it says. Packets
 * know neither disks nor listings; in plain text alone a digit can stand for another.
 */
export function effectAt(effect: DriftEffect, reach: Reach): string | undefined {
  if (reach === 'cowrie' || effect.type === 'latency' || effect.type === 'schedule') return ''
  if (effect.type === 'error') {
    if (effect.kind === 'disk') return undefined
    if (effect.kind === 'busy') return `as a wait of ${mostDelayMs} ms`
    return reach === 'udp' && effect.kind !== 'timeout' ? 'as no answer' : ''
  }
  if (reach === 'udp' || effect.what === 'listing') return undefined
  return 'as digits changed in plain text'
}

/** The part of a drift that a port feels; undefined where it feels none. */
export function driftAt({ seed, effects }: Drift, reach: Reach): Drift | undefined {
  const felt = effects.filter((effect) => effectAt(effect, reach) !== undefined)
  return felt.length === 0 ? undefined : { seed, effects: felt }
}
