import type { Migration } from '../store/port.ts'

/** Personas with all their versions; a version is never changed. body: JSON of the persona schema. */
export const personaTables: Migration = {
  room: 'personas',
  version: 1,
  statements: [
    `CREATE TABLE personas (id TEXT NOT NULL, version INTEGER NOT NULL, segment TEXT NOT NULL, family TEXT NOT NULL, hostname TEXT NOT NULL,
      body TEXT NOT NULL, created_at TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (id, version))`,
    `CREATE INDEX personas_segment ON personas (segment)`,
  ],
}
