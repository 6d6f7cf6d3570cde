/** The nearest-rank percentile of `values` (p in 0..100), or null where there are none. */
export function percentile(values: readonly number[], p: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? null
}

export const p50AndP95 = (values: readonly number[]) => ({ p50: percentile(values, 50), p95: percentile(values, 95) })
