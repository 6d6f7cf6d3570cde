import t from 'tap'
import { poissonLower, poissonUpper } from '../../../shared/statistics/index.ts'
import { chiSquaredTail } from '../../../shared/statistics/special.ts'

/** P(X <= k) and P(X > k) of Poisson variables: sums of all terms with 60 digits. */
const exact: [k: number, mean: number, lower: number, upper: number][] = [
  [480, 500, 0.19206157928099474, 0.8079384207190052],
  [1000, 1040, 0.10981365057638755, 0.8901863494236124],
  [1100, 1000, 0.9991323590365564, 0.000867640963443562],
  [900, 1000, 0.0006977673277963068, 0.9993022326722036],
  [5000, 5100, 0.08143182864539483, 0.9185681713546052],
  [20000, 20300, 0.017597565339879915, 0.9824024346601201],
  [20000, 19500, 0.9998216271519456, 0.0001783728480544166],
  [700, 1000, 6.933009901726415e-24, 1],
]

t.test('tails of large counts keep their digits', async (t) => {
  const close = (value: number, wanted: number, what: string) =>
    t.ok(Math.abs(value / wanted - 1) < 1e-11, `${what}: ${value}, ${wanted}`)
  for (const [k, mean, lower, upper] of exact) {
    close(poissonLower(k, mean), lower, `P(X <= ${k} | ${mean})`)
    close(poissonUpper(k + 1, mean), upper, `P(X > ${k} | ${mean})`)
    // A chi-squared tail of an even number of degrees is a Poisson tail.
    close(chiSquaredTail(2 * mean, 2 * (k + 1)), lower, `chi-squared ${2 * mean} of ${2 * (k + 1)}`)
  }
})
