import type { Profile } from '../../shared/schemas/baseline.ts'
import type { Drift, DriftEffect, DriftType, Intensity } from '../../shared/schemas/drift.ts'
import type { Arm } from '../drift/bandit.ts'
import { generateDrift } from '../drift/generate.ts'
import { effectAt, reachOf } from '../drift/reach.ts'

/** Of the services behind the pod's network, those that tell numbers in plain text: nowhere else is a digit changed. */
const plainText: readonly string[] = ['http', 'redis']
/** Each draws another form or kind of the same type; two of five at the least are felt wherever one is. */
const mostDraws = 32

/**
 * Whether somebody at this service can feel an effect: what does nothing at such a port is none, nor are waits for others'
 * sessions, since a visitor may be alone.
 */
function isFelt(effect: DriftEffect, service: string): boolean {
  const reach = reachOf(service) ?? (service === 'cowrie' ? 'cowrie' : 'tcp')
  if (effectAt(effect, reach) === undefined || (effect.type === 'latency' && effect.form === 'load')) return false
  return reach !== 'tcp' || effect.type !== 'alteration' || plainText.includes(service)
}

/** The drift of an arm that a visitor of this service can feel, the same for the same seed; undefined where it has none. */
export function driftFelt(
  baseline: Profile,
  arm: Exclude<Arm, 'none'>,
  seed: string,
  service: string,
): Drift | undefined {
  const [type, intensity] = arm.split('.') as [DriftType, Intensity]
  for (let i = 0; i < mostDraws; i++) {
    const made = generateDrift(baseline, type, intensity, i === 0 ? seed : `${seed}/${i}`)
    if (made.effects.every((effect) => isFelt(effect, service))) return made
  }
  return undefined
}

/** Of these arms, those that a visitor of this service can feel; `none` always. */
export const armsFelt = (arms: readonly Arm[], service: string): Arm[] =>
  arms.filter((arm) => arm === 'none' || driftFelt({}, arm, 'arms', service) !== undefined)
