import type { Feature } from '../../shared/schemas/baseline.ts'
import type { Drift, DriftEffect } from '../../shared/schemas/drift.ts'
import { medianOf } from './median.ts'

/** Half of a normal distribution lies within so many deviations. */
const quartile = 0.6745

const changed = {
  bytes: 'bytes changed',
  fields: 'numbers changed in their fields',
  contents: 'contents of files changed',
  listing: 'files of a listing left out, put in or older',
  version: 'another version named',
} as const
const failing = {
  refused: 'refused',
  reset: 'cut off by a reset',
  busy: 'answered as by a busy host',
  timeout: 'never answered',
  disk: 'answered with an error of the disk',
} as const

/** One effect, in words with its numbers. */
export function effectWords(effect: DriftEffect): string {
  switch (effect.type) {
    case 'latency': {
      const { form, ms, spread } = effect
      if (form === 'load') return `answers wait ${short(ms)} ms for each other session that is open`
      if (form === 'fixed' || spread === 0) return `each answer waits ${short(ms)} ms`
      const [low, high] = [ms * Math.exp(-quartile * spread), ms * Math.exp(quartile * spread)]
      return `each answer waits about ${short(ms)} ms, half of them ${short(low)} to ${short(high)} ms`
    }
    case 'alteration':
      return `${percent(effect.share)} of answers have ${changed[effect.what]}`
    case 'error':
      return `${percent(effect.share)} of ${effect.kind === 'refused' ? 'new connections' : 'requests'} are ${failing[effect.kind]}`
    case 'schedule':
      return `nobody is answered ${hoursWords(effect.hours)} of the decoy’s own day`
  }
}

/** The same in two or three words, for lists. */
export function effectShort(effect: DriftEffect): string {
  switch (effect.type) {
    case 'latency':
      return `${effect.form === 'load' ? 'load' : 'latency'} ${short(effect.ms)} ms`
    case 'alteration':
      return `${effect.what} ${percent(effect.share)}`
    case 'error':
      return `${effect.kind} ${percent(effect.share)}`
    case 'schedule':
      return `silent ${hoursWords(effect.hours).replaceAll('from ', '')}`
  }
}

export const driftWords = (drift: Drift | null): string[] =>
  drift === null ? ['no drift'] : drift.effects.map(effectWords)

/** Hours that follow each other are told as one span, also across midnight. */
function hoursWords(hours: readonly number[]): string {
  const all = new Set(hours)
  const begins = [...all].filter((hour) => !all.has((hour + 23) % 24)).sort((a, b) => a - b)
  const spans = begins.map((from) => {
    let to = from
    while (all.has(to % 24)) to++
    return `from ${from}:00 to ${to % 24}:00`
  })
  return spans.length === 0 ? 'all hours' : spans.join(' and ')
}

/** What is known of a feature, in a few words. */
export function featureWords(feature: Feature): string {
  switch (feature.form) {
    case 'sample': {
      const values = [...feature.values].sort((a, b) => a - b)
      const most = values[Math.ceil(0.9 * values.length) - 1]
      if (most === undefined) return 'nothing seen'
      return `${short(medianOf(values) ?? 0)} ${feature.unit}, 90 % below ${short(most)}`
    }
    case 'rate':
      return `${short((3600 * feature.count) / feature.seconds)} an hour`
    case 'share':
      return feature.of === 0 ? 'nothing seen' : percent(feature.part / feature.of)
    case 'mix': {
      const all = Object.entries(feature.counts).sort((a, b) => b[1] - a[1])
      const sum = all.reduce((total, [, count]) => total + count, 0)
      const [first] = all
      return first && sum > 0 ? `${first[0]} ${percent(first[1] / sum)}` : 'nothing seen'
    }
  }
}

/** How many observations a feature rests on. */
export function restWords(feature: Feature): string {
  switch (feature.form) {
    case 'sample':
      return String(feature.n)
    case 'rate':
      return `${short(feature.seconds / 3600)} h`
    case 'share':
      return String(feature.of)
    case 'mix':
      return String(Object.values(feature.counts).reduce((sum, count) => sum + count, 0))
  }
}

const short = (value: number): string => String(Number(value.toPrecision(3)))
const percent = (share: number): string => `${short(100 * share)} %`
