import type { Migration } from '../store/port.ts'

/**
 * Whose behaviour is known, how it was by week and hour, and the windows of late.
 *
 *   baseline_subjects 1 -- n baseline_cells    (week, slot): counts and samples of the windows in it, merged
 *                     1 -- n baseline_windows  each as it came, for a while
 *
 * slot: 0 to 167 the hours of a week from Monday 00:00 UTC, or -1 the whole week. A cell without traffic has no row.
 */
export const baselineTables: Migration = {
  room: 'baselines',
  version: 1,
  statements: [
    // key: `subjects.ts`. kind: 'decoy' | 'service' | 'segment' | 'mimicry'. service: as the newest window names it.
    `CREATE TABLE baseline_subjects (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, segment TEXT, decoy TEXT, port INTEGER,
      instance INTEGER, service TEXT NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL)`,
    `CREATE INDEX baseline_subjects_segment ON baseline_subjects (segment, kind)`,
    `CREATE INDEX baseline_subjects_service ON baseline_subjects (kind, service)`,
    `CREATE INDEX baseline_subjects_decoy ON baseline_subjects (decoy)`,
    // counts, samples: JSON profiles, apart since most windows have only counts and samples are long.
    `CREATE TABLE baseline_cells (subject INTEGER NOT NULL REFERENCES baseline_subjects(id), week INTEGER NOT NULL, slot INTEGER NOT NULL,
      windows INTEGER NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL, counts TEXT NOT NULL, samples TEXT NOT NULL,
      PRIMARY KEY (subject, week, slot)) WITHOUT ROWID`,
    `CREATE INDEX baseline_cells_week ON baseline_cells (week)`,
    `CREATE TABLE baseline_windows (subject INTEGER NOT NULL REFERENCES baseline_subjects(id), at TEXT NOT NULL, n INTEGER NOT NULL, seconds REAL NOT NULL,
      service TEXT NOT NULL, drift TEXT, missed INTEGER NOT NULL, profile TEXT NOT NULL, PRIMARY KEY (subject, at, n)) WITHOUT ROWID`,
    `CREATE INDEX baseline_windows_at ON baseline_windows (at)`,
    // A segment that is not named is looked at.
    `CREATE TABLE baseline_watching (segment TEXT PRIMARY KEY REFERENCES segments(id), watched INTEGER NOT NULL, at TEXT NOT NULL)`,
  ],
}

/** A segment that was switched off may be forgotten as well: agents are told for as long as it is off. */
export const forgottenTables: Migration = {
  room: 'baselines',
  version: 2,
  statements: ['ALTER TABLE baseline_watching ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0'],
}

/** Windows of those alone who meet another drift than everyone stand beside everyone's. */
export const apartTables: Migration = {
  room: 'baselines',
  version: 3,
  statements: ['ALTER TABLE baseline_windows ADD COLUMN apart INTEGER NOT NULL DEFAULT 0'],
}
