import { pick, type Random, seededRandom } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import {
  type Drift,
  type DriftEffect,
  type DriftType,
  drift,
  type Intensity,
  mostDelayMs,
} from '../../shared/schemas/drift.ts'
import numbers from './intensities.json' with { type: 'json' }
import { medianOf } from './median.ts'

/** Answers are taken to come within this where no baseline says otherwise, milliseconds. */
const usualDelayMs = 20

type Draw = { baseline: Profile; intensity: Intensity; random: Random }

const effects: { [T in DriftType]: (draw: Draw) => Extract<DriftEffect, { type: T }> } = {
  latency: ({ baseline, intensity, random }) => {
    const { times, leastMs, spread } = numbers.latency[intensity]
    const answers = baseline['response.delay']
    const usual = answers?.form === 'sample' ? (medianOf(answers.values) ?? usualDelayMs) : usualDelayMs
    const ms = Math.min(mostDelayMs, Math.max(leastMs, times * usual))
    const form = pick(random, ['fixed', 'jitter', 'jitter', 'load'] as const)
    // With load, each other session adds its part: a few make the whole.
    const each = form === 'load' ? ms / 4 : ms
    return { type: 'latency', form, ms: Math.round(each * 10) / 10, spread: form === 'jitter' ? spread : 0 }
  },
  alteration: ({ intensity, random }) => ({
    type: 'alteration',
    what: pick(random, ['bytes', 'fields', 'contents', 'listing', 'version'] as const),
    share: numbers.alteration[intensity].share,
  }),
  error: ({ intensity, random }) => ({
    type: 'error',
    kind: pick(random, ['refused', 'reset', 'busy', 'timeout', 'disk'] as const),
    share: numbers.error[intensity].share,
  }),
  schedule: ({ intensity, random }) => {
    const { hours } = numbers.schedule[intensity]
    const from = Math.floor(random() * 6)
    return { type: 'schedule', hours: Array.from({ length: hours }, (_, i) => (from + i) % 24) }
  },
}

/**
 * A deviation of a `type` and an `intensity`, its numbers relative to the `baseline` (`intensities.json`). The same seed
 * gives the same deviation. Pure.
 */
export function generateDrift(baseline: Profile, type: DriftType, intensity: Intensity, seed: string): Drift {
  const random = seededRandom(`${seed}/${type}/${intensity}`)
  return drift.parse({ seed, effects: [effects[type]({ baseline, intensity, random })] })
}

/** All of them at once, with the seed of the first. Throws ZodError where together they make the decoy useless. */
export const composed = (drifts: readonly [Drift, ...Drift[]]): Drift =>
  drift.parse({ seed: drifts[0].seed, effects: drifts.flatMap((one) => one.effects) })
