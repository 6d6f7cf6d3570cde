import type { FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { WindowSubject } from '../../shared/schemas/observation.ts'
import type { Moment, Track } from '../drift/index.ts'
import type { Worths } from './likeness.ts'
import { leastShiftMs, whoseIs } from './whose.ts'

type Window = { at: string; seconds: number; profile: Profile }
const tracked = [
  'response.delay',
  'connect.delay',
  'handshake.delay',
  'path.delay',
  'repeat.share',
  'error.share',
] as const satisfies readonly FeatureName[]
/** Of ten answers as expected, so many are not slow. */
const notSlow = 0.9

/** When a subject was slow, window by window, in what is its own or of the way to it. Few numbers, whatever windows hold. Pure. */
export function tracksOf(
  subject: WindowSubject,
  expected: Profile,
  windows: readonly Window[],
  worths: Worths = {},
): Track[] {
  return tracked
    .filter((feature) => whoseIs(subject, feature) !== 'visitors')
    .flatMap((feature) => {
      const slowOf = slownessIn(feature, expected)
      if (!slowOf) return []
      const worth = worths[feature]?.seen ?? 1
      const moments = windows.flatMap(({ at, seconds, profile }): Moment[] => {
        const { n, slow } = slowOf.seen(profile)
        const to = Date.parse(at)
        return n > 0 ? [{ from: to - seconds * 1000, to, n: n / worth, slow: slow / worth }] : []
      })
      return [{ feature, usual: slowOf.usual, moments }]
    })
}

type Counted = { n: number; slow: number }

function slownessIn(
  name: FeatureName,
  expected: Profile,
): { usual: number; seen: (profile: Profile) => Counted } | undefined {
  const known = expected[name]
  if (known?.form === 'share') {
    return {
      usual: usualOf(known.part, known.of),
      seen: (profile) => {
        const one = profile[name]
        return one?.form === 'share' ? { n: one.of, slow: one.part } : { n: 0, slow: 0 }
      },
    }
  }
  if (known?.form !== 'sample' || known.values.length === 0) return undefined
  const sorted = Float64Array.from(known.values).sort()
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0
  // Less than anybody notices is not slow, however sure.
  const bound = Math.max(at(notSlow), at(0.5) + leastShiftMs)
  const above = (values: readonly number[]) => values.filter((value) => value > bound).length
  return {
    usual: usualOf(above(known.values), known.values.length),
    seen: (profile) => {
      const one = profile[name]
      if (one?.form !== 'sample' || one.values.length === 0) return { n: 0, slow: 0 }
      return { n: one.n, slow: (one.n * above(one.values)) / one.values.length }
    },
  }
}

/** By the rule of succession, so that what was never seen is not impossible. */
const usualOf = (slow: number, of: number): number => (slow + 1) / (of + 2)
