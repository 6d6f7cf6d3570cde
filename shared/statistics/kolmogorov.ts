/**
 * Above so many pairs of observations the exact distribution takes longer than it is worth: the asymptotic one differs by
 * less than a hundredth of its value there.
 */
const exactPairs = 4_000_000

/**
 * P(D >= d) of the two-sample Kolmogorov-Smirnov statistic when both samples come from one continuous distribution:
 * exact up to four million pairs, past that by the one-sample distribution at the harmonic size.
 */
export function kolmogorovTail(d: number, m: number, n: number): number {
  if (d <= 0) return 1
  return m * n <= exactPairs ? exactTail(d, m, n) : asymptoticTail(d, m, n)
}

/**
 * All orders of the pooled sample are equally likely, each a path from (0, 0) to (m, n): the probability that a path comes to a
 * point with |i/m - j/n| >= d (Hodges 1958, 3.). What leaves is added up, so that small probabilities keep their digits.
 */
export function exactTail(d: number, m: number, n: number): number {
  // In whole numbers: d is a multiple of 1/(m n), and the comparison must not depend on rounding.
  const most = Math.round(d * m * n)
  const outside = (i: number, j: number) => Math.abs(i * n - j * m) >= most
  let left = 0
  /** Of paths that never were outside, the part that passes (i, j), for one i. */
  let column = new Float64Array(n + 1)
  column[0] = 1
  for (let i = 0; i <= m; i++) {
    const next = new Float64Array(n + 1)
    for (let j = 0; j <= n; j++) {
      const here = column[j] ?? 0
      const rest = m + n - i - j
      if (here === 0 || rest === 0) continue
      const right = (here * (m - i)) / rest
      const up = here - right
      if (i < m && outside(i + 1, j)) left += right
      else next[j] = (next[j] ?? 0) + right
      if (j < n && outside(i, j + 1)) left += up
      else if (j < n) column[j + 1] = (column[j + 1] ?? 0) + up
    }
    column = next
  }
  return Math.min(1, left)
}

/** As of one sample of the harmonic size against a known distribution. */
export const asymptoticTail = (d: number, m: number, n: number): number =>
  oneSampleTail(d, Math.round((m * n) / (m + n)))

/** P(D_n >= d) of the one-sample statistic. Where both sides at once are next to impossible, twice the one-sided tail (Miller 1956). */
export function oneSampleTail(d: number, n: number): number {
  if (d >= 1) return 0
  if (n * d * d >= 2.2 || d >= 0.5) return Math.min(1, 2 * oneSidedTail(d, n))
  return 1 - oneSampleBelow(d, n)
}

/** P(D_n+ >= d) (Birnbaum and Tingey 1951), in logarithms: the binomials of large samples are beyond any number. */
function oneSidedTail(d: number, n: number): number {
  let sum = 0
  let logChoose = 0
  for (let j = 0; j <= Math.floor(n * (1 - d)); j++) {
    if (j > 0) logChoose += Math.log((n - j + 1) / j)
    const below = 1 - d - j / n
    const power = n - j === 0 ? 0 : below <= 0 ? Number.NEGATIVE_INFINITY : (n - j) * Math.log(below)
    sum += Math.exp(logChoose + power + (j - 1) * Math.log(d + j / n))
  }
  return d * sum
}

/** P(D_n < d) by the matrix of Durbin 1973, raised as Marsaglia, Tsang and Wang 2003 describe. */
function oneSampleBelow(d: number, n: number): number {
  const k = Math.floor(n * d) + 1
  const size = 2 * k - 1
  const h = k - n * d
  const cell = (i: number, j: number): number => {
    if (i - j + 1 < 0) return 0
    let value = 1
    if (j === 0) value -= h ** (i + 1)
    if (i === size - 1) value -= h ** (size - j)
    if (i === size - 1 && j === 0) value += Math.max(0, 2 * h - 1) ** size
    return value / factorial(i - j + 1)
  }
  let base: Scaled = {
    cells: Float64Array.from({ length: size * size }, (_, x) => cell(Math.floor(x / size), x % size)),
    exponent: 0,
  }
  let power: Scaled = {
    cells: Float64Array.from({ length: size * size }, (_, x) => (x % (size + 1) === 0 ? 1 : 0)),
    exponent: 0,
  }
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = times(power, base, size)
    base = times(base, base, size)
  }
  let value = power.cells[(k - 1) * size + k - 1] ?? 0
  let { exponent } = power
  for (let i = 1; i <= n; i++) {
    value *= i / n
    if (value < tiny) {
      value /= tiny
      exponent -= 140
    }
  }
  return value * 10 ** exponent
}

const tiny = 1e-140
/** The matrix times 10^exponent. */
type Scaled = { cells: Float64Array; exponent: number }

function times(a: Scaled, b: Scaled, size: number): Scaled {
  const cells = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++) {
      const factor = a.cells[i * size + k] ?? 0
      if (factor === 0) continue
      for (let j = 0; j < size; j++)
        cells[i * size + j] = (cells[i * size + j] ?? 0) + factor * (b.cells[k * size + j] ?? 0)
    }
  const middle = cells[Math.floor(size / 2) * size + Math.floor(size / 2)] ?? 0
  const exponent = a.exponent + b.exponent
  if (middle <= 1 / tiny) return { cells, exponent }
  return { cells: cells.map((value) => value * tiny), exponent: exponent + 140 }
}

function factorial(n: number): number {
  let product = 1
  for (let i = 2; i <= n; i++) product *= i
  return product
}
