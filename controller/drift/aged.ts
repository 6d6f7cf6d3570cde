import type { AgedRows } from '../store/aged.ts'

export const driftSettingsAged: readonly AgedRows[] = [
  { table: 'drift_settings', key: 'id', age: 'recordsDays', over: 'ended_at < ?' },
]
