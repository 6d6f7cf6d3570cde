import type { Migration } from '../store/port.ts'

export const detectionTables: Migration = {
  room: 'detection',
  version: 1,
  statements: [
    // What a mark of a window means (shared/drift-mark.ts): DecoyDrift as JSON, kept while windows may name it.
    `CREATE TABLE drift_marks (mark TEXT PRIMARY KEY, drift TEXT NOT NULL, at TEXT NOT NULL)`,
    // The last look at each decoy (instance -1) and each mimicry instance, with all of its findings (JSON).
    `CREATE TABLE drift_standings (decoy TEXT NOT NULL, instance INTEGER NOT NULL, segment TEXT NOT NULL, appliance TEXT NOT NULL, at TEXT NOT NULL,
      score REAL NOT NULL, plain REAL, feature TEXT, cause TEXT, because TEXT, findings TEXT NOT NULL, PRIMARY KEY (decoy, instance))`,
    // Scores over time: whenever one is above zero or changed, and each hour.
    `CREATE TABLE drift_scores (id INTEGER PRIMARY KEY, at TEXT NOT NULL, decoy TEXT NOT NULL, instance INTEGER NOT NULL, segment TEXT NOT NULL,
      appliance TEXT NOT NULL, score REAL NOT NULL, plain REAL, feature TEXT, service TEXT, port INTEGER, effect REAL, q REAL, words TEXT, cause TEXT)`,
    `CREATE INDEX drift_scores_at ON drift_scores (at)`,
    `CREATE INDEX drift_scores_decoy ON drift_scores (decoy, instance, at)`,
    // Streams of slow changes of a subject (its key as baselines names it): SubjectStreams as JSON. And what they found.
    `CREATE TABLE drift_streams (key TEXT PRIMARY KEY, state TEXT NOT NULL, at TEXT NOT NULL)`,
    `CREATE TABLE drift_changes (id INTEGER PRIMARY KEY, key TEXT NOT NULL, at TEXT NOT NULL, mark TEXT NOT NULL, feature TEXT NOT NULL, found_by TEXT NOT NULL,
      before REAL NOT NULL, now REAL NOT NULL, away REAL NOT NULL)`,
    `CREATE INDEX drift_changes_key ON drift_changes (key, at)`,
  ],
}
