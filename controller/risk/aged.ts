import type { AgedRows } from '../store/aged.ts'
import { crossingTakers } from './queries.ts'

const takers = crossingTakers.map((name) => `'${name}'`).join(', ')

export const riskAged: readonly AgedRows[] = [
  {
    table: 'risk_crossings',
    key: 'id',
    age: 'recordsDays',
    over: `at < ? AND id <= COALESCE((SELECT MIN(pos) FROM cursors WHERE worker IN (${takers})
      HAVING COUNT(*) = ${crossingTakers.length}), 0)`,
  },
  { table: 'risk_exceptions', key: 'id', age: 'historyDays', over: 'expires_at < ?' },
]
