import type { Migration } from '../store/port.ts'

export const responseTables: Migration = {
  version: 1,
  room: 'response',
  statements: [
    // target: a CIDR for 'block', a segment for 'deploy', a decoy for 'reconfigure'. evidence: reasons, JSON.
    // status: active | proposed | expired | undone | refused. made_by: 'risk' | 'admin'. event_at: decoy's time of the newest evidence.
    `CREATE TABLE decisions (id TEXT PRIMARY KEY, kind TEXT NOT NULL, target TEXT NOT NULL, source TEXT, reason TEXT NOT NULL, evidence TEXT NOT NULL,
      score REAL, made_at TEXT NOT NULL, expires_at TEXT, status TEXT NOT NULL, made_by TEXT NOT NULL, event_at TEXT,
      ended_at TEXT, ended_why TEXT, outcome TEXT)`,
    `CREATE INDEX decisions_status ON decisions (kind, status, expires_at)`,
    `CREATE INDEX decisions_target ON decisions (kind, target, made_at)`,
    // Where a block was read back from the kernel, and where it was seen to be gone.
    `CREATE TABLE decision_enforcement (decision TEXT NOT NULL REFERENCES decisions(id), agent TEXT NOT NULL, revision INTEGER NOT NULL,
      decided_at TEXT NOT NULL, enforced_at TEXT NOT NULL, confirmed_at TEXT NOT NULL, lifted_at TEXT, PRIMARY KEY (decision, agent))`,
  ],
}

/** Blocks that an agent has in its list and not in force: `refused` by its own rail, or `expired` by its clock. */
export const unenforcedTables: Migration = {
  version: 2,
  room: 'response',
  statements: [
    `CREATE TABLE decision_unenforced (decision TEXT NOT NULL REFERENCES decisions(id), agent TEXT NOT NULL, revision INTEGER NOT NULL,
      why TEXT NOT NULL, told_at TEXT NOT NULL, PRIMARY KEY (decision, agent))`,
  ],
}
