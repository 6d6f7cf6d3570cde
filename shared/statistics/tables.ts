import betainc from '@stdlib/math-base-special-betainc'

/** P(X >= k) of a binomial variable, `n` tries with probability `p` each. */
export const binomialUpper = (k: number, n: number, p: number): number =>
  k <= 0 ? 1 : k > n || p <= 0 ? 0 : p >= 1 ? 1 : betainc(p, k, n - k + 1, true, false)

/** P(X <= k) of the same. */
export const binomialLower = (k: number, n: number, p: number): number =>
  k < 0 ? 0 : k >= n ? 1 : betainc(p, k + 1, n - k, true, true)

/**
 * Whether two counts come from one rate: given their sum, the second is binomial with its part of the whole time
 * (Przyborowski and Wilenski 1940). Two-sided, twice the smaller tail; holds however small both are.
 */
export function twoRates(countA: number, secondsA: number, countB: number, secondsB: number): number {
  const [all, part] = [countA + countB, secondsB / (secondsA + secondsB)]
  if (all === 0) return 1
  return Math.min(1, 2 * Math.min(binomialUpper(countB, all, part), binomialLower(countB, all, part)))
}

/** Fisher's exact test of two shares: the probability of tables with these sums that are no likelier than this one. */
export function twoShares(partA: number, ofA: number, partB: number, ofB: number): number {
  const part = partA + partB
  const logOf = (a: number) => logChoose(ofA, a) + logChoose(ofB, part - a)
  const low = Math.max(0, part - ofB)
  const high = Math.min(ofA, part)
  const seen = logOf(partA)
  const most = logOf(Math.floor(((part + 1) * (ofA + 1)) / (ofA + ofB + 2)))
  let [extreme, all] = [0, 0]
  for (let a = low; a <= high; a++) {
    const weight = Math.exp(logOf(a) - most)
    all += weight
    // Equal but for rounding counts as equal.
    if (logOf(a) <= seen + 1e-7) extreme += weight
  }
  return Math.min(1, extreme / all)
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k)

const logFactorials = [0]
function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++) logFactorials.push((logFactorials[i - 1] as number) + Math.log(i))
  return logFactorials[n] as number
}
