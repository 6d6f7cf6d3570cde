import type { Migration } from '../store/port.ts'

/** The shape of segments' traffic as agents saw it, what decoys draw theirs from, and what they did. */
export const mimicryTables: Migration = {
  room: 'mimicry',
  version: 1,
  statements: [
    // seen: the newest patterns, JSON. used: those that plans name, taken over from `seen` once a day.
    `CREATE TABLE mimicry_patterns (segment TEXT NOT NULL REFERENCES segments(id), agent TEXT NOT NULL, from_at TEXT NOT NULL, at TEXT NOT NULL,
      seen TEXT NOT NULL, used TEXT NOT NULL, used_at TEXT NOT NULL, PRIMARY KEY (segment, agent)) WITHOUT ROWID`,
    `CREATE TABLE mimicry_reports (decoy TEXT NOT NULL REFERENCES decoys(id), instance INTEGER NOT NULL, at TEXT NOT NULL, seconds REAL NOT NULL,
      planned INTEGER NOT NULL, done INTEGER NOT NULL, failed INTEGER NOT NULL, bytes INTEGER NOT NULL, bounded INTEGER NOT NULL,
      score REAL, redrawn INTEGER NOT NULL, PRIMARY KEY (decoy, instance, at)) WITHOUT ROWID`,
    `CREATE INDEX mimicry_reports_at ON mimicry_reports (at)`,
  ],
}

/** What a report's score is of. */
export const mimicryMovedTables: Migration = {
  room: 'mimicry',
  version: 2,
  statements: ['ALTER TABLE mimicry_reports ADD COLUMN moved TEXT'],
}
