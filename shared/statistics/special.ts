import erfc from '@stdlib/math-base-special-erfc'
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile'
import { gammaLower, gammaUpper } from './gamma-tails.ts'

/** Tails of distributions, each computed as a tail, so that small probabilities keep their digits. */

/** P(X >= x) of a chi-squared variable. */
export const chiSquaredTail = (x: number, degrees: number): number =>
  degrees < 1 || x <= 0 ? 1 : gammaUpper(degrees / 2, x / 2)

/** P(X >= k) of a Poisson variable with mean `mu`. */
export const poissonUpper = (k: number, mu: number): number => (k <= 0 ? 1 : mu <= 0 ? 0 : gammaLower(k, mu))

/** P(X <= k) of a Poisson variable with mean `mu`. */
export const poissonLower = (k: number, mu: number): number => (k < 0 ? 0 : mu <= 0 ? 1 : gammaUpper(k + 1, mu))

/** P(|Z| >= z) of a standard normal variable. */
export const normalTwoSided = (z: number): number => erfc(Math.abs(z) / Math.SQRT2)

/** The value below which a standard normal variable is with probability `p`. */
export const normalBelow = (p: number): number => normalQuantile(p, 0, 1)
