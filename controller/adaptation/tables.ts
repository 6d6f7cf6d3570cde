import type { Migration } from '../store/port.ts'

/** Who was given what, what came of it, and what is believed by that. */
export const adaptationTables: Migration = {
  room: 'adaptation',
  version: 1,
  statements: [
    // What a source was given for a time, at all decoys. class: before it was given. grp: 'control' | 'adaptive'.
    // arm: as drawn, which is what counts; shown: what it became since by the source's own conduct.
    `CREATE TABLE adaptation_assignments (id INTEGER PRIMARY KEY, source TEXT NOT NULL, class TEXT NOT NULL, grp TEXT NOT NULL,
      arm TEXT NOT NULL, shown TEXT NOT NULL, seed TEXT NOT NULL, because TEXT NOT NULL, made_at TEXT NOT NULL, until TEXT NOT NULL)`,
    `CREATE INDEX adaptation_assignments_source ON adaptation_assignments (source, until)`,
    // All that a source does at a decoy without a long pause. at: the decoy's time; seen_at: ours. ended_at is set once,
    // in the transaction that learns from it.
    `CREATE TABLE adaptation_visits (id INTEGER PRIMARY KEY, assignment INTEGER NOT NULL REFERENCES adaptation_assignments(id),
      source TEXT NOT NULL, decoy TEXT NOT NULL, opened_at TEXT NOT NULL, last_at TEXT NOT NULL, seen_at TEXT NOT NULL, looked_at TEXT,
      sessions INTEGER NOT NULL, tries INTEGER NOT NULL, successes INTEGER NOT NULL, commands INTEGER NOT NULL, files INTEGER NOT NULL,
      terminal INTEGER NOT NULL, errors INTEGER NOT NULL, felt INTEGER NOT NULL, returned INTEGER NOT NULL,
      ended_at TEXT, seconds REAL, engagement REAL)`,
    `CREATE INDEX adaptation_visits_open ON adaptation_visits (seen_at) WHERE ended_at IS NULL`,
    `CREATE INDEX adaptation_visits_source ON adaptation_visits (source, decoy, id)`,
    `CREATE INDEX adaptation_visits_assignment ON adaptation_visits (assignment)`,
    // kind: 'view' | 'move' | 'persona' | 'refused'.
    `CREATE TABLE adaptation_changes (id INTEGER PRIMARY KEY, at TEXT NOT NULL, decoy TEXT NOT NULL, source TEXT NOT NULL,
      kind TEXT NOT NULL, arm TEXT, because TEXT NOT NULL)`,
    `CREATE INDEX adaptation_changes_decoy ON adaptation_changes (decoy, at)`,
    `CREATE INDEX adaptation_changes_source ON adaptation_changes (source, at)`,
    `CREATE TABLE adaptation_beliefs (class TEXT NOT NULL, arm TEXT NOT NULL, n INTEGER NOT NULL, mean REAL NOT NULL, squares REAL NOT NULL,
      PRIMARY KEY (class, arm))`,
  ],
}

/**
 * Of a visit: which face of the decoy it met, which service it began at, and why it is left out of every comparison
 * (`by-hand` | `other-face`). Beliefs count sources from here on, no longer visits: learned anew from the visits that are kept.
 */
export const adaptationVisitTables: Migration = {
  room: 'adaptation',
  version: 2,
  statements: [
    `ALTER TABLE adaptation_visits ADD COLUMN persona TEXT NOT NULL DEFAULT ''`,
    'ALTER TABLE adaptation_visits ADD COLUMN persona_version INTEGER NOT NULL DEFAULT 0',
    `ALTER TABLE adaptation_visits ADD COLUMN service TEXT NOT NULL DEFAULT 'ssh'`,
    'ALTER TABLE adaptation_visits ADD COLUMN left_out TEXT',
    'DELETE FROM adaptation_beliefs',
    `INSERT INTO adaptation_beliefs SELECT class, arm, COUNT(*), AVG(mean), MAX(0, SUM(mean * mean) - COUNT(*) * AVG(mean) * AVG(mean))
     FROM (SELECT a.class, a.arm, AVG(v.engagement) AS mean FROM adaptation_visits v
       JOIN adaptation_assignments a ON a.id = v.assignment WHERE v.engagement IS NOT NULL GROUP BY a.class, a.arm, v.source)
     GROUP BY class, arm`,
  ],
}
