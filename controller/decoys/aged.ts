import type { AgedRows } from '../store/aged.ts'

/** Decoys themselves stay: sessions, captures and honey-credentials name them for as long as anybody remembers. */
export const decoysAged: readonly AgedRows[] = [
  { table: 'decoy_phases', key: 'id', age: 'recordsDays', over: 'at < ?' },
  { table: 'decoy_addresses', key: 'rowid', age: 'recordsDays', over: 'until_at < ?' },
  { table: 'decoy_actions', key: 'id', age: 'historyDays', over: 'at < ?' },
]
