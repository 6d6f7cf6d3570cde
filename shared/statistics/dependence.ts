import { normalBelow } from './special.ts'

/**
 * Observations that came together (in one window, of one client's session) are alike. What they are worth, by what is known
 * of the same thing's past, cut into blocks of time. Pure.
 */

/** What a block of time saw: `n` observations as vectors, the sums of their components, the sum of all squares. */
export type Block = { n: number; sums: readonly number[]; squares: number }

/** How sure the bound of the correlation is. */
const sure = 0.95
/**
 * Longer blocks than leave so many are not looked at, since the bound of few blocks is far from what it bounds; fewer, where
 * shorter blocks were surely alike.
 */
const leastBlocks = 30
const leastAlike = 8

/** Two blocks that follow each other as one. */
const joined = (a: Block, b: Block): Block => ({
  n: a.n + b.n,
  sums: Array.from({ length: Math.max(a.sums.length, b.sums.length) }, (_, i) => (a.sums[i] ?? 0) + (b.sums[i] ?? 0)),
  squares: a.squares + b.squares,
})

/** The last one stays alone where their number is odd. */
const inPairs = <T>(all: readonly T[], join: (a: T, b: T) => T): T[] =>
  all.flatMap((one, i) => {
    if (i % 2 === 1) return []
    const next = all[i + 1]
    return [next === undefined ? one : join(one, next)]
  })

/**
 * The most that observations of one block may be correlated: upper bound of the intraclass correlation by the analysis of
 * variance (Donner 1986, International Statistical Review 54, 67-82; the bound by the F distribution: Searle 1971). Undefined
 * where nothing ever varied. 1 where the blocks cannot tell. `alike`: they surely are.
 */
export function correlationBound(blocks: readonly Block[]): { most: number; alike: boolean } | undefined {
  const seen = blocks.filter(({ n }) => n > 0)
  const all = seen.reduce(joined, { n: 0, sums: [], squares: 0 })
  const centre = all.sums.reduce((sum, one) => sum + one ** 2, 0) / all.n
  const total = all.squares - centre
  if (!(total > 1e-9 * Math.max(1, all.squares))) return undefined
  const between =
    seen.reduce((sum, { n, sums }) => sum + sums.reduce((squares, one) => squares + one ** 2, 0) / n, 0) - centre
  const [j, within] = [seen.length, Math.max(0, total - between)]
  const [above, below] = [j - 1, all.n - j]
  if (above < 1 || below < 1 || within === 0) return { most: 1, alike: true }
  const f = between / above / (within / below)
  /** F of such degrees is below it with that probability, at least. */
  const quantile = (p: number) => chiSquaredBelow(p, above) / above / (chiSquaredBelow(1 - p, below) / below)
  const most = f / quantile(1 - sure)
  const size = (all.n - seen.reduce((sum, { n }) => sum + n ** 2, 0) / all.n) / above
  return { most: Math.max(0, Math.min(1, (most - 1) / (most + size - 1))), alike: f > quantile(sure) }
}

/** Wilson and Hilferty 1931. */
function chiSquaredBelow(p: number, degrees: number): number {
  const part = 2 / (9 * degrees)
  return degrees * Math.max(1e-3, 1 - part + normalBelow(p) * Math.sqrt(part)) ** 3
}

/** How many times as many observations in such blocks are as one that is independent (Kish 1965, 5.4; by sizes: Kish 1987). */
export function designEffect(sizes: readonly number[], correlation: number): number {
  const all = sizes.reduce((sum, n) => sum + n, 0)
  if (all === 0) return 1
  return Math.max(1, 1 + (sizes.reduce((sum, n) => sum + n ** 2, 0) / all - 1) * correlation)
}

/** Of a known sample and of one that was seen: how many times as many observations as independent ones they are. */
export type Worth = { known: number; seen: number }

/**
 * Correlations of a thing's past within its blocks of time, and within blocks put together two by two, four by four and so on,
 * since sessions may be longer than a block (Flyvbjerg and Petersen 1989, The Journal of Chemical Physics 91, 461-466).
 * Undefined where nothing ever varied.
 */
export function correlationsOf(past: readonly Block[]): number[] | undefined {
  const found: number[] = []
  let [blocks, least] = [past.filter(({ n }) => n > 0), 0]
  while (blocks.length >= least) {
    const correlation = blocks.length === 0 ? { most: 1, alike: false } : correlationBound(blocks)
    if (correlation === undefined) return undefined
    found.push(correlation.most)
    blocks = inPairs(blocks, joined)
    least = correlation.alike ? leastAlike : leastBlocks
  }
  return found
}

/** The greatest design effect of blocks of these sizes, put together likewise. */
export function greatestEffect(sizes: readonly number[], correlations: readonly number[]): number {
  let [blocks, most] = [sizes.filter((n) => n > 0), 1]
  for (const correlation of correlations) {
    most = Math.max(most, designEffect(blocks, correlation))
    blocks = inPairs(blocks, (a, b) => a + b)
  }
  return most
}

/**
 * Where nothing ever varied there is no correlation to know. Then what is new comes in bunches of these sizes: a bunch is one
 * event (the dispersion of a compound Poisson process: mean of the squares over the mean).
 */
export function bunchEffect(bunches: readonly number[]): number {
  const all = bunches.reduce((sum, n) => sum + n, 0)
  return all === 0 ? 1 : Math.max(1, bunches.reduce((sum, n) => sum + n ** 2, 0) / all)
}

/**
 * How many times as much as those of a Poisson process counts of times scatter: upper bound of the dispersion (McCullagh and Nelder
 * 1989, 6.2.3), over blocks of all lengths as above.
 */
export function dispersionBound(past: readonly { count: number; seconds: number }[]): number {
  let [blocks, most] = [past.filter(({ seconds }) => seconds > 0), 1]
  const [count, seconds] = [sumOf(blocks, 'count'), sumOf(blocks, 'seconds')]
  if (count === 0) return 1
  while (blocks.length >= leastBlocks) {
    const squares = blocks.reduce((sum, one) => {
      const due = (count * one.seconds) / seconds
      return sum + (one.count - due) ** 2 / due
    }, 0)
    most = Math.max(most, squares / chiSquaredBelow(1 - sure, blocks.length - 1))
    blocks = inPairs(blocks, (a, b) => ({ count: a.count + b.count, seconds: a.seconds + b.seconds }))
  }
  return most
}

const sumOf = <K extends string>(all: readonly Record<K, number>[], name: K): number =>
  all.reduce((sum, one) => sum + one[name], 0)
