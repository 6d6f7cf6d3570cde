import gammainc from '@stdlib/math-base-special-gammainc'

/** Above this the library's expansion is off by parts of a hundred, as sums with 60 digits show. */
const mostOfLibrary = 500

/** Regularised incomplete gamma functions of `a` at `x`: Q(a, x), the upper one, and P(a, x), the lower. */
export const gammaUpper = (a: number, x: number): number =>
  x < mostOfLibrary ? gammainc(x, a, true, true) : x < a + 1 ? 1 - series(a, x) : fraction(a, x)
export const gammaLower = (a: number, x: number): number =>
  x < mostOfLibrary ? gammainc(x, a, true, false) : x < a + 1 ? series(a, x) : 1 - fraction(a, x)

/** x^a e^-x / Γ(a + 1) by the deviance from the mode, which keeps its digits where both are large (Loader 2000). */
function density(a: number, x: number): number {
  const stirling = (1 / 12 - (1 / 360 - 1 / 1260 / a ** 2) / a ** 2) / a
  return Math.exp(-stirling - deviance(a, x)) / Math.sqrt(2 * Math.PI * a)
}

/** a ln(a/x) + x - a; by its series where the two are close, since the terms nearly cancel. */
function deviance(a: number, x: number): number {
  const v = (a - x) / (a + x)
  if (Math.abs(v) >= 0.1) return a * Math.log(a / x) + x - a
  let sum = (a - x) * v
  let power = 2 * a * v
  for (let j = 3; ; j += 2) {
    power *= v * v
    const next = sum + power / j
    if (next === sum) return sum
    sum = next
  }
}

/** P(a, x) = x^a e^-x / Γ(a + 1) * sum of x^n / ((a + 1) ... (a + n)) (DLMF 8.11.4). */
function series(a: number, x: number): number {
  let [sum, term] = [1, 1]
  for (let n = 1; term > sum * Number.EPSILON; n++) {
    term *= x / (a + n)
    sum += term
  }
  return density(a, x) * sum
}

/** Q(a, x) by its continued fraction (DLMF 8.9.2), from the front (Lentz 1976). */
function fraction(a: number, x: number): number {
  let b = x + 1 - a
  let [c, d] = [1 / Number.MIN_VALUE, 1 / b]
  let product = d
  for (let i = 1; ; i++) {
    const numerator = -i * (i - a)
    b += 2
    d = 1 / (numerator * d + b)
    c = b + numerator / c
    const factor = c * d
    product *= factor
    if (Math.abs(factor - 1) <= Number.EPSILON) return density(a, x) * a * product
  }
}
