import { goldenErrors } from '../drift/golden.ts'
import type { Bench } from './row.ts'

/** How far our statistics are from those of scipy at most, relative. */
export const driftGoldenBench: Bench = {
  names: ['drift.golden_max_relative_error'],
  async run() {
    const worst = Math.max(...goldenErrors().map(({ error }) => error))
    return [
      {
        name: 'drift.golden_max_relative_error',
        value: worst,
        unit: 'relative',
        better: 'lower',
        target: 1e-9,
        reference: null,
      },
    ]
  },
}
