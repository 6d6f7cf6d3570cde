import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'

/**
 * The plain score, for comparison alone: the sum over features of |observed - expected| / expected, of means, rates and
 * shares. It grows with noise where samples are small, whether anything drifted or not, and an empty baseline makes it infinite.
 */
export const plainScore = (expected: Profile, observed: Profile): number =>
  (Object.entries(observed) as [FeatureName, Feature][]).reduce((sum, [name, seen]) => {
    const known = expected[name]
    return known ? sum + Math.abs(levelOf(seen) - levelOf(known)) / levelOf(known) : sum
  }, 0)

/** One number for a feature; of a mix, the share of its commonest kind. */
function levelOf(feature: Feature): number {
  switch (feature.form) {
    case 'sample':
      return feature.values.reduce((sum, value) => sum + value, 0) / feature.values.length
    case 'rate':
      return feature.count / feature.seconds
    case 'share':
      return feature.part / feature.of
    case 'mix': {
      const counts = Object.values(feature.counts)
      return Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0)
    }
  }
}
