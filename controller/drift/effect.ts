import { type Random, seededRandom } from '../../shared/random.ts'
import { mannWhitney } from '../../shared/statistics/index.ts'

/** How engagement with drift stands to that without. `ratio` of the means, with the interval that holds it 95 times of 100. */
export type Effect = {
  with: number
  without: number
  ratio: number
  low: number
  high: number
  p: number
  sessions: [number, number]
}

const draws = 2000

/**
 * The measured effect of drift: ratio of mean engagement, interval by the bootstrap (Efron and Tibshirani 1993, 13.3), `p` by
 * Mann and Whitney. Undefined where a group is empty. The same sessions give the same interval.
 */
export function effectOf(drifted: readonly number[], control: readonly number[]): Effect | undefined {
  if (drifted.length === 0 || control.length === 0) return undefined
  const random = seededRandom(`effect/${drifted.length}/${control.length}`)
  const ratios = Array.from({ length: draws }, () => resampled(drifted, random) / resampled(control, random)).sort(
    (a, b) => a - b,
  )
  const [withDrift, without] = [meanOf(drifted), meanOf(control)]
  return {
    with: withDrift,
    without,
    ratio: withDrift / without,
    low: ratios[Math.floor(0.025 * draws)] as number,
    high: ratios[Math.ceil(0.975 * draws) - 1] as number,
    p: mannWhitney(drifted, control).p,
    sessions: [drifted.length, control.length],
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function resampled(values: readonly number[], random: Random): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)] as number
  return sum / values.length
}
