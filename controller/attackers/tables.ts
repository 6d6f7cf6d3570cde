import type { Migration } from '../store/port.ts'

export const attackerTables: Migration = {
  version: 1,
  room: 'attackers',
  statements: [
    `CREATE TABLE sources (ip TEXT PRIMARY KEY, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, inside INTEGER NOT NULL,
      events INTEGER NOT NULL DEFAULT 0, sessions INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,
      successes INTEGER NOT NULL DEFAULT 0, commands INTEGER NOT NULL DEFAULT 0, files INTEGER NOT NULL DEFAULT 0)`,
    `CREATE INDEX sources_last ON sources (last_seen)`,
    // What is distinct about a source: kind 'decoy', 'segment', 'port', 'hassh', 'client', 'username'. Bounded a kind.
    `CREATE TABLE source_facts (source TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, first_at TEXT NOT NULL,
      last_at TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (source, kind, value))`,
    // What a source did, in the words of risk's evidence; the record that told it; where.
    `CREATE TABLE behaviours (id INTEGER PRIMARY KEY, pos INTEGER NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,
      received_at TEXT NOT NULL, agent TEXT NOT NULL, decoy TEXT NOT NULL, segment TEXT, port INTEGER, detail TEXT, technique TEXT)`,
    `CREATE INDEX behaviours_pos ON behaviours (pos)`,
    `CREATE INDEX behaviours_received ON behaviours (received_at)`,
    `CREATE INDEX behaviours_source ON behaviours (source, id)`,
  ],
}
