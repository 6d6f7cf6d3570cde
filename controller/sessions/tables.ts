import type { Migration } from '../store/port.ts'

export const sessionTables: Migration = {
  version: 1,
  room: 'sessions',
  statements: [
    // One connection to a decoy. `session` is the service's own id; counts are of events that came once each.
    `CREATE TABLE sessions (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, decoy TEXT NOT NULL, session TEXT NOT NULL,
      service TEXT NOT NULL, segment TEXT, source TEXT, source_port INTEGER, dst TEXT, dst_port INTEGER,
      first_at TEXT NOT NULL, last_at TEXT NOT NULL, opened_at TEXT, closed_at TEXT, duration_ms REAL,
      client_version TEXT, hassh TEXT, username TEXT, success INTEGER NOT NULL DEFAULT 0,
      events INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, commands INTEGER NOT NULL DEFAULT 0,
      downloads INTEGER NOT NULL DEFAULT 0, uploads INTEGER NOT NULL DEFAULT 0, UNIQUE (agent, decoy, session))`,
    `CREATE INDEX sessions_last ON sessions (last_at)`,
    `CREATE INDEX sessions_source ON sessions (source, last_at)`,
    `CREATE INDEX sessions_decoy ON sessions (decoy, last_at)`,
    // Each event once, however often an agent sent it (`digest`). `pos` is the record that brought it first. `text` is
    // what matters most of it: the command, URL, client version, target of a forwarding.
    `CREATE TABLE session_events (pos INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, session INTEGER REFERENCES sessions(id),
      agent TEXT NOT NULL, decoy TEXT NOT NULL, at TEXT NOT NULL, received_at TEXT NOT NULL, kind TEXT NOT NULL,
      source TEXT, text TEXT, username TEXT, password TEXT, sha256 TEXT, size REAL)`,
    // Terminal logs of a session, by the hash of their bytes (Cowrie's own name of a log hashes only what was typed).
    `CREATE TABLE session_ttys (session INTEGER NOT NULL REFERENCES sessions(id), sha256 TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (session, sha256))`,
    `CREATE INDEX session_events_session ON session_events (session, at)`,
    `CREATE INDEX session_events_at ON session_events (at)`,
    `CREATE INDEX session_events_commands ON session_events (session) WHERE kind IN ('command', 'command.unknown')`,
    `CREATE INDEX session_events_files ON session_events (sha256) WHERE sha256 IS NOT NULL`,
  ],
}

/** `audit`: the audit or test touch that it was part of. Such sessions and events count for nobody's behaviour. */
export const sessionAuditTables: Migration = {
  version: 2,
  room: 'sessions',
  statements: [`ALTER TABLE sessions ADD COLUMN audit TEXT`, `ALTER TABLE session_events ADD COLUMN audit TEXT`],
}
