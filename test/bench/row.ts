/** One figure. `target` and `reference` (what it is compared with) in the same unit; null where there is none. */
export type Row = {
  name: string
  value: number
  unit: string
  better: 'lower' | 'higher'
  target: number | null
  reference: number | null
  /** The interval of 95 % of the value, in the same unit. */
  low?: number
  high?: number
}

/** A benchmark: one or more figures from one run. `progress` is told what takes long. */
export type Bench = { names: readonly string[]; run(progress: (what: string) => void): Promise<Row[]> }

/** The value at or below which `p` percent of `values` lie (nearest rank); NaN where there are none. */
export function percentileOf(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN
}

export const meets = ({ value, better, target }: Row): boolean | undefined =>
  target === null ? undefined : better === 'lower' ? value <= target : value >= target
