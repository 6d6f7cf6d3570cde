import type { Random } from '../random.ts'
import { chiSquaredTail } from './special.ts'

/** Comparisons of two mixes: how often each of the same categories was seen, or what share it has. */

type Counts = readonly number[]

const total = (counts: Counts): number => counts.reduce((sum, count) => sum + count, 0)
const shares = (counts: Counts): number[] => {
  const all = total(counts)
  return counts.map((count) => (all === 0 ? 0 : count / all))
}

/** Jensen-Shannon divergence in bits: 0 for equal mixes, 1 for mixes without a category in common (Lin 1991). */
export function jensenShannon(p: Counts, q: Counts): number {
  const [a, b] = [shares(p), shares(q)]
  let bits = 0
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i] ?? 0, b[i] ?? 0]
    const middle = (left + right) / 2
    if (left > 0) bits += (left * Math.log2(left / middle)) / 2
    if (right > 0) bits += (right * Math.log2(right / middle)) / 2
  }
  return Math.min(1, Math.max(0, bits))
}

/** Population stability index, natural logarithm, with a half added to each count (Jeffreys' prior) so that no share is zero. */
export function stabilityIndex(p: Counts, q: Counts): number {
  const [a, b] = [shares(p.map((count) => count + 0.5)), shares(q.map((count) => count + 0.5))]
  return a.reduce((sum, share, i) => sum + (share - (b[i] ?? 0)) * Math.log(share / (b[i] ?? 1)), 0)
}

export type TableTest = { statistic: number; p: number; degrees: number; leastExpected: number }

function tableTest(rows: readonly Counts[], term: (seen: number, expected: number) => number): TableTest {
  const width = Math.max(0, ...rows.map((row) => row.length))
  const columns = Array.from({ length: width }, (_, j) => rows.reduce((sum, row) => sum + (row[j] ?? 0), 0))
  const kept = columns.flatMap((sum, j) => (sum > 0 ? [j] : []))
  const full = rows.filter((row) => total(row) > 0)
  const all = total(columns)
  let [statistic, leastExpected] = [0, Number.POSITIVE_INFINITY]
  for (const row of full)
    for (const j of kept) {
      const expected = (total(row) * (columns[j] ?? 0)) / all
      leastExpected = Math.min(leastExpected, expected)
      statistic += term(row[j] ?? 0, expected)
    }
  const degrees = Math.max(0, (full.length - 1) * (kept.length - 1))
  return { statistic, p: chiSquaredTail(statistic, degrees), degrees, leastExpected }
}

/** The G-test of independence (Sokal and Rohlf 1995, 17.4). Trust its `p` where `leastExpected` is 5 or more. */
export const gTest = (rows: readonly Counts[]): TableTest =>
  tableTest(rows, (seen, expected) => (seen === 0 ? 0 : 2 * seen * Math.log(seen / expected)))

/** Pearson's test of independence, without a correction for continuity. */
export const chiSquaredTest = (rows: readonly Counts[]): TableTest =>
  tableTest(rows, (seen, expected) => (seen - expected) ** 2 / expected)

/**
 * For mixes too small for the G-test: how often `rounds` random re-labellings of the observations diverge at least as much. Never zero
 * (Phipson and Smyth 2010). Reproducible by `random`.
 */
export function permutationTest(p: Counts, q: Counts, random: Random, rounds = 999): number {
  const pooled = p.flatMap((count, i) => Array<number>(count + (q[i] ?? 0)).fill(i))
  const size = total(p)
  // In hundred-billionths: re-labellings that are the observed one again must count as equal.
  const round = (bits: number) => Math.round(bits * 1e11)
  const observed = round(jensenShannon(p, q))
  let atLeast = 0
  for (let n = 0; n < rounds; n++) {
    const left = new Array<number>(p.length).fill(0)
    for (let i = 0; i < size; i++) {
      const j = i + Math.floor(random() * (pooled.length - i))
      const taken = pooled[j] as number
      pooled[j] = pooled[i] as number
      pooled[i] = taken
      left[taken] = (left[taken] ?? 0) + 1
    }
    const right = left.map((count, i) => (p[i] ?? 0) + (q[i] ?? 0) - count)
    if (round(jensenShannon(left, right)) >= observed) atLeast++
  }
  return (atLeast + 1) / (rounds + 1)
}
