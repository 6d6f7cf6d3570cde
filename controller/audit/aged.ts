import type { AgedRows } from '../store/aged.ts'

/** Of a decoy that stands the last run of each kind and end stays for each version of its persona: what comes next is judged by it. */
export const auditAged: readonly AgedRows[] = [
  {
    table: 'audit_runs',
    key: 'id',
    age: 'recordsDays',
    over: `status IN ('done', 'failed') AND created_at < ? AND id NOT IN (SELECT MAX(id) FROM audit_runs
      WHERE decoy IN (SELECT id FROM decoys WHERE status = 'wanted') GROUP BY decoy, kind, persona_version, status)`,
  },
]
