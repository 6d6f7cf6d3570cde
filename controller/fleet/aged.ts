import type { AgedRows } from '../store/aged.ts'

/** Invitations, long after they could serve. */
export const fleetAged: readonly AgedRows[] = [
  { table: 'claims', key: 'id', age: 'historyDays', over: 'expires_at < ?' },
]
