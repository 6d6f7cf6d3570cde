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

/** Approval, what each version was made from, and the log-ins that stand in files of decoys. */
export const personaOriginTables: Migration = {
  room: 'personas',
  version: 2,
  statements: [
    // status: 'approved' | 'waiting'. recipe: JSON, what the version was made from; digest: SHA-256 of the body.
    `ALTER TABLE personas ADD COLUMN status TEXT NOT NULL DEFAULT 'approved'`,
    `ALTER TABLE personas ADD COLUMN recipe TEXT`,
    `ALTER TABLE personas ADD COLUMN digest TEXT`,
    // Templates and inputs of builds, each once: gzip of JSON, by the SHA-256 of the JSON.
    `CREATE TABLE persona_sources (digest TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL)`,
    `CREATE TABLE persona_honey (persona TEXT NOT NULL, username TEXT NOT NULL, password TEXT NOT NULL, service TEXT NOT NULL, path TEXT NOT NULL,
      planted_at TEXT NOT NULL, PRIMARY KEY (persona, username, password, path))`,
    `CREATE INDEX persona_honey_password ON persona_honey (password, username)`,
  ],
}
