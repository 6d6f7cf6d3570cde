import type { AgedRows } from '../store/aged.ts'

/** States that last have one alert each until it is closed, so that they bound themselves. */
const lasting = "'silent-agent', 'dead-decoy', 'unsafe-decoy', 'touch-lost', 'drift'"
/** Happenings that nobody ever looked at: so many of the newest stay open, however old. */
const mostUnseen = 20_000

export const alertsAged: readonly AgedRows[] = [
  // What could not be delivered in all that time is given up, too.
  { table: 'alert_outbox', key: 'id', age: 'recordsDays', over: 'created_at < ?' },
  {
    table: 'alerts',
    key: 'id',
    age: 'historyDays',
    over: `(status = 'closed' OR status = 'acknowledged' AND kind NOT IN (${lasting})) AND COALESCE(ended_at, last_at) < ?`,
  },
  {
    table: 'alerts',
    key: 'id',
    age: 'historyDays',
    over: `status = 'open' AND kind NOT IN (${lasting}) AND last_at < ? AND id NOT IN
      (SELECT id FROM alerts WHERE status = 'open' ORDER BY last_at DESC, id DESC LIMIT ${mostUnseen})`,
  },
]
