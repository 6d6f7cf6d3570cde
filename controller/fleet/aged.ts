import type { AgedRows } from '../store/aged.ts'

/** Invitations, long after they could serve. */
export const fleetAged: readonly AgedRows[] = [
  { table: 'claims', key: 'id', age: 'historyDays', over: 'expires_at < ?' },
  // Known as long as it could still be shown, and a while after.
  { table: 'agent_certificates', key: 'serial', age: 'historyDays', over: 'ended_at IS NOT NULL AND expires_at < ?' },
]
