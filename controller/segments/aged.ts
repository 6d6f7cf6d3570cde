import type { AgedRows } from '../store/aged.ts'

/** The last scan of a segment that went well stays: it says that the segment is known. */
export const segmentsAged: readonly AgedRows[] = [
  {
    table: 'scans',
    key: 'rowid',
    age: 'recordsDays',
    over: `received_at < ? AND rowid NOT IN (SELECT rowid FROM
      (SELECT rowid, MAX(received_at) FROM scans WHERE outcome = 'done' GROUP BY segment, phase))`,
  },
  { table: 'host_history', key: 'id', age: 'historyDays', over: 'at < ?' },
]
