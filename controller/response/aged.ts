import type { AgedRows } from '../store/aged.ts'

const ended = "status NOT IN ('active', 'proposed')"
/** A row for each block and agent: by far the most rows of all, and of interest while somebody looks into a block. */
const ofEnded = `decision IN (SELECT id FROM decisions WHERE ${ended} AND COALESCE(ended_at, made_at) < ?)`

/** A deployment or reconfiguration is over once it was made; a block when its time is, or somebody undid it. */
export const responseAged: readonly AgedRows[] = [
  { table: 'decision_enforcement', key: 'rowid', age: 'enforcementDays', over: ofEnded },
  { table: 'decision_unenforced', key: 'rowid', age: 'enforcementDays', over: ofEnded },
  {
    table: 'decisions',
    key: 'id',
    age: 'historyDays',
    over: `(${ended} OR kind <> 'block') AND COALESCE(ended_at, made_at) < ?
      AND id NOT IN (SELECT decision FROM decision_enforcement) AND id NOT IN (SELECT decision FROM decision_unenforced)`,
  },
]
