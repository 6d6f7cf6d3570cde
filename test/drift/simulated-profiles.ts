import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { normal } from '../../shared/statistics/draws.ts'

/** A service as it truly behaves: what profiles are drawn from. */
export type Truth = {
  /** Median of the answers' delay, milliseconds, and the deviation of its logarithm. */
  delayMs: number
  delaySpread: number
  /** Sessions an hour. */
  sessions: number
  errors: number
  /** Sizes of answers: shares of small, middle and large ones. */
  sizes: readonly number[]
  clients: readonly number[]
}

export const calm: Truth = {
  delayMs: 20,
  delaySpread: 0.35,
  sessions: 6,
  errors: 0.01,
  sizes: [0.6, 0.3, 0.1],
  clients: [0.5, 0.25, 0.15, 0.07, 0.03],
}

const sizeBytes = [400, 4000, 60_000]

/** One client after another keeps a session for so many windows in the mean; of what varies between answers, `part` is his. */
export type Sessions = { windows: number; part: number }

/**
 * Windows of a service that is asked in long sessions, of one client at a time: his way and what he asks for make his answers
 * alike. Over all sessions delays, sizes and errors are those of `truth`.
 */
export function drawSessions(
  truth: Truth,
  n: number,
  { windows, part }: Sessions,
  count: number,
  random: Random,
): Profile[] {
  let own = { delay: 0, likes: 0, fails: 0 }
  const begin = () => {
    own = { delay: normal(random), likes: kindOf(truth.sizes, random), fails: random() < 0.1 ? 10 * truth.errors : 0 }
  }
  begin()
  return Array.from({ length: count }, () => {
    if (random() < 1 / windows) begin()
    const delay = () => Math.sqrt(part) * own.delay + Math.sqrt(1 - part) * normal(random)
    const kind = () => (random() < part ? own.likes : kindOf(truth.sizes, random))
    return {
      ...drawProfile(truth, n, random),
      'response.delay': sampleOf('ms', n, () => truth.delayMs * Math.exp(truth.delaySpread * delay())),
      'response.size': sampleOf('bytes', n, () => (sizeBytes[kind()] ?? 0) * Math.exp(0.2 * normal(random))),
      'error.share': { form: 'share', part: countOf(n, () => random() < own.fails), of: n },
    }
  })
}

const sampleOf = (unit: 'ms' | 'bytes', n: number, draw: () => number) => ({
  ...({ form: 'sample', unit, n } as const),
  values: Array.from({ length: Math.min(n, 512) }, draw),
})

/** What `n` answers, `n` clients and n/6 hours of a service show. */
export function drawProfile(truth: Truth, n: number, random: Random): Profile {
  const kept = Math.min(n, 512)
  const delays = Array.from({ length: kept }, () => truth.delayMs * Math.exp(truth.delaySpread * normal(random)))
  const sizes = Array.from(
    { length: kept },
    () => (sizeBytes[kindOf(truth.sizes, random)] ?? 0) * Math.exp(0.2 * normal(random)),
  )
  const hours = Math.max(1, n / 6)
  return {
    'response.delay': { form: 'sample', unit: 'ms', n, values: delays },
    'response.size': { form: 'sample', unit: 'bytes', n, values: sizes },
    'session.rate': { form: 'rate', count: poisson(truth.sessions * hours, random), seconds: hours * 3600 },
    'error.share': { form: 'share', part: countOf(n, () => random() < truth.errors), of: n },
    'client.kind': { form: 'mix', counts: mixOf(truth.clients, n, random) },
    'partner.kind': { form: 'mix', counts: mixOf([0.4, 0.3, 0.2, 0.1], n, random) },
  }
}

const countOf = (n: number, holds: () => boolean): number => {
  let count = 0
  for (let i = 0; i < n; i++) if (holds()) count++
  return count
}

function kindOf(shares: readonly number[], random: Random): number {
  let left = random()
  const found = shares.findIndex((share) => {
    left -= share
    return left < 0
  })
  return found === -1 ? shares.length - 1 : found
}

function mixOf(shares: readonly number[], n: number, random: Random): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < n; i++) {
    const kind = `kind-${kindOf(shares, random)}`
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** Of a large mean by the normal distribution, of a small one by counting waits. */
function poisson(mean: number, random: Random): number {
  if (mean > 500) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  let [count, waited] = [-1, 0]
  while (waited < mean) {
    waited -= Math.log(1 - random())
    count++
  }
  return count
}
