import type { Migration } from '../store/port.ts'

export const riskTables: Migration = {
  version: 1,
  room: 'risk',
  statements: [
    // A decaying sum for each source and kind of evidence: `amount` as of `ref_ms`. What exceptions cover stands apart
    // (exempt = 1): kept, and not scored. `count` is the plain number of times.
    `CREATE TABLE risk_evidence (source TEXT NOT NULL, evidence TEXT NOT NULL, exempt INTEGER NOT NULL, amount REAL NOT NULL,
      ref_ms REAL NOT NULL, count INTEGER NOT NULL, newest_at TEXT NOT NULL, detail TEXT, PRIMARY KEY (source, evidence, exempt))`,
    `CREATE TABLE risk_scores (source TEXT PRIMARY KEY, score REAL NOT NULL, computed_at TEXT NOT NULL)`,
    // above: the source is over the threshold, or was and has not fallen far enough below to count anew.
    `CREATE TABLE risk_levels (source TEXT NOT NULL, threshold TEXT NOT NULL, above INTEGER NOT NULL, told_at TEXT NOT NULL, PRIMARY KEY (source, threshold))`,
    // again = 1: the source was over the threshold already and goes on.
    `CREATE TABLE risk_crossings (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, threshold TEXT NOT NULL, again INTEGER NOT NULL, score REAL NOT NULL,
      reasons TEXT NOT NULL, event_at TEXT NOT NULL, received_at TEXT NOT NULL, at TEXT NOT NULL, agent TEXT, decoy TEXT, segment TEXT)`,
    `CREATE INDEX risk_crossings_source ON risk_crossings (source, id)`,
    // from_minute, until_minute: minutes of the day, UTC; both NULL for the whole day; from > until spans midnight.
    `CREATE TABLE risk_exceptions (id TEXT PRIMARY KEY, cidr TEXT NOT NULL, decoy TEXT, port INTEGER, from_minute INTEGER, until_minute INTEGER,
      owner TEXT NOT NULL, reason TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL)`,
  ],
}
