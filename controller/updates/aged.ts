import type { AgedRows } from '../store/aged.ts'

const gone = (table: string) => `NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = ${table}.agent)`

export const updatesAged: readonly AgedRows[] = [
  { table: 'agent_running', key: 'agent', age: 'historyDays', over: `${gone('agent_running')} AND at < ?` },
  // What a box shall run stands in the last rollout that ordered it, however old.
  {
    table: 'rollout_boxes',
    key: 'rowid',
    age: 'historyDays',
    over: `rollout IN (SELECT id FROM rollouts WHERE ended_at IS NOT NULL AND ended_at < ?) AND (ordered = 'none' OR ${gone('rollout_boxes')})`,
  },
  {
    table: 'rollouts',
    key: 'id',
    age: 'historyDays',
    over: 'ended_at IS NOT NULL AND ended_at < ? AND id NOT IN (SELECT rollout FROM rollout_boxes)',
  },
]
