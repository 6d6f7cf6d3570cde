import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'

/** Of a window's sample so many observations count: a busy minute, or somebody who makes one, does not speak for a week. */
const mostOfWindow = 1024

/** What stays true where packets were missed: things told by one packet. Counts in time, delays and sizes do not. */
const soundWithGaps: ReadonlySet<FeatureName> = new Set([
  'tcp.window',
  'answer.window',
  'client.kind',
  'client.ja3',
  'handshake.kind',
  'name.kind',
  'partner.kind',
])

/**
 * What of a window is normal behaviour; undefined where nothing is. A decoy under drift, or under none that is known, is not
 * how that decoy is. Pure.
 */
export function admitted({ subject, drift, missed, profile }: FeatureWindow): Profile | undefined {
  if (subject.kind === 'decoy' && drift !== 'none') return undefined
  if (drift !== undefined && drift !== 'none') return undefined
  const kept = (Object.entries(profile) as [FeatureName, Feature][])
    .filter(([name]) => missed === 0 || soundWithGaps.has(name))
    .flatMap(([name, feature]) => (isEmpty(feature) ? [] : [[name, bounded(feature)] as const]))
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** A rate without a count is none: it was looked, and nothing came. */
export function isEmpty(feature: Feature): boolean {
  if (feature.form === 'sample') return feature.values.length === 0
  if (feature.form === 'share') return feature.of === 0
  return feature.form === 'mix' && Object.values(feature.counts).every((count) => count === 0)
}

function bounded(feature: Feature): Feature {
  if (feature.form !== 'sample') return feature
  const { n, values } = feature
  return { ...feature, n: Math.max(values.length, Math.min(n, mostOfWindow)), values: values.map(short) }
}

/** Six digits: more is noise of the clock, and space. */
const short = (value: number): number => Number(value.toPrecision(6))
