import { MarshlightError } from '../../shared/errors.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import type { Drift, DriftEffect, DriftType, Intensity } from '../../shared/schemas/drift.ts'
import { generateDrift } from './generate.ts'
import numbersOf from './intensities.json' with { type: 'json' }
import { withinBounds } from './settings.ts'

/** Numbers that somebody gave; each takes the place of the one that would be drawn. */
export type GivenNumbers = {
  form?: 'fixed' | 'jitter' | 'load' | undefined
  ms?: number | undefined
  kind?: 'refused' | 'reset' | 'busy' | 'timeout' | 'disk' | undefined
  what?: 'bytes' | 'fields' | 'contents' | 'listing' | 'version' | undefined
  share?: number | undefined
  hours?: readonly number[] | undefined
}
export type WishedEffect = { type: DriftType; intensity: Intensity; seed: string; numbers: GivenNumbers }

const taken: Record<DriftType, readonly (keyof GivenNumbers)[]> = {
  latency: ['form', 'ms'],
  alteration: ['what', 'share'],
  error: ['kind', 'share'],
  schedule: ['hours'],
}
/** A load's wait is for each other session; a few make the whole. */
const sessionsOfLoad = 4

/**
 * The drift that a person asks for: drawn from seed and baseline, with the numbers that were given, together with `held`
 * where it is to be added. Throws USAGE for a number of another type, DRIFT_UNUSABLE beyond the bounds. Pure.
 */
export function wishedDrift(baseline: Profile, wish: WishedEffect, held?: Drift | null): Drift {
  const { type, intensity, seed, numbers } = wish
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined && !taken[type].includes(name as keyof GivenNumbers))
      throw new MarshlightError('USAGE', {
        what: `--${name} ${value} says nothing about ${type}, which takes ${taken[type].map((one) => `--${one}`).join(' and ')}`,
        command: 'marshlight drift set',
      })
  const [drawn] = generateDrift(baseline, type, intensity, seed).effects
  const effect = withNumbers(drawn as DriftEffect, intensity, numbers)
  return withinBounds({ seed: held?.seed ?? seed, effects: [...(held?.effects ?? []), effect] })
}

function withNumbers(drawn: DriftEffect, intensity: Intensity, numbers: GivenNumbers): DriftEffect {
  switch (drawn.type) {
    case 'latency': {
      const form = numbers.form ?? drawn.form
      const whole = drawn.form === 'load' ? drawn.ms * sessionsOfLoad : drawn.ms
      const ms = numbers.ms ?? (form === 'load' ? whole / sessionsOfLoad : whole)
      return { ...drawn, form, ms, spread: form === 'jitter' ? numbersOf.latency[intensity].spread : 0 }
    }
    case 'alteration':
      return { ...drawn, what: numbers.what ?? drawn.what, share: numbers.share ?? drawn.share }
    case 'error':
      return { ...drawn, kind: numbers.kind ?? drawn.kind, share: numbers.share ?? drawn.share }
    case 'schedule':
      return { ...drawn, hours: numbers.hours ? [...new Set(numbers.hours)].sort((a, b) => a - b) : drawn.hours }
  }
}
