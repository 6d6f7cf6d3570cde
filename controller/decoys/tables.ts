import type { Migration } from '../store/port.ts'

/** Decoys as they shall be, as agents see them, and each thing done to them with its reason. */
export const decoyTables: Migration = {
  room: 'decoys',
  version: 1,
  statements: [
    // status: 'wanted' | 'retired'. origin: 'placement' | 'response' | 'admin'; only those of placement count as the segment's own number.
    `CREATE TABLE decoys (id TEXT PRIMARY KEY, segment TEXT NOT NULL, agent TEXT NOT NULL, cidr TEXT NOT NULL, ip TEXT NOT NULL, mac TEXT NOT NULL UNIQUE,
      hostname TEXT NOT NULL, persona TEXT NOT NULL, persona_version INTEGER NOT NULL, status TEXT NOT NULL, origin TEXT NOT NULL,
      created_at TEXT NOT NULL, changed_at TEXT NOT NULL, reason TEXT NOT NULL, retire_at TEXT, retired_at TEXT, tries INTEGER NOT NULL DEFAULT 0)`,
    `CREATE INDEX decoys_agent ON decoys (agent, status)`,
    `CREATE INDEX decoys_segment ON decoys (segment, status)`,
    // Each address that a decoy held, and why it left it.
    `CREATE TABLE decoy_addresses (decoy TEXT NOT NULL, segment TEXT NOT NULL, ip TEXT NOT NULL, from_at TEXT NOT NULL, until_at TEXT, why TEXT)`,
    `CREATE INDEX decoy_addresses_segment ON decoy_addresses (segment, until_at)`,
    `CREATE TABLE decoy_states (decoy TEXT PRIMARY KEY, agent TEXT NOT NULL, at TEXT NOT NULL, phase TEXT NOT NULL, revision INTEGER NOT NULL, ip TEXT, mac TEXT,
      persona_version INTEGER, attempts INTEGER NOT NULL, restarts INTEGER NOT NULL, ready_at TEXT, reason TEXT)`,
    `CREATE TABLE decoy_phases (id INTEGER PRIMARY KEY, decoy TEXT NOT NULL, at TEXT NOT NULL, phase TEXT NOT NULL, ip TEXT, reason TEXT)`,
    `CREATE INDEX decoy_phases_decoy ON decoy_phases (decoy, at)`,
    `CREATE TABLE decoy_actions (id INTEGER PRIMARY KEY, at TEXT NOT NULL, action TEXT NOT NULL, segment TEXT NOT NULL, decoy TEXT, agent TEXT, by TEXT NOT NULL,
      reason TEXT NOT NULL, what TEXT NOT NULL)`,
    `CREATE INDEX decoy_actions_decoy ON decoy_actions (decoy, at)`,
    `CREATE INDEX decoy_actions_segment ON decoy_actions (segment, action, at)`,
  ],
}

/** Decoys that were seen to be unsafe: since when, in what way, and how often an administrator let them come up again. */
export const condemnedTables: Migration = {
  room: 'decoys',
  version: 2,
  statements: [
    `ALTER TABLE decoys ADD COLUMN condemned_at TEXT`,
    `ALTER TABLE decoys ADD COLUMN condemned_why TEXT`,
    `ALTER TABLE decoys ADD COLUMN releases INTEGER NOT NULL DEFAULT 0`,
  ],
}
