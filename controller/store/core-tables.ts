import type { Migration } from './port.ts'

/** Tables that more than one room reads. All times are ISO 8601 UTC text, all ids UUIDv7 text. */
export const coreTables: Migration = {
  version: 1,
  room: 'core',
  statements: [
    `CREATE TABLE sites (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE)`,
    // A segment is one broadcast domain of a site; its network is learned from the agent.
    `CREATE TABLE segments (id TEXT PRIMARY KEY, site TEXT NOT NULL REFERENCES sites(id), name TEXT NOT NULL, cidr TEXT, gateway TEXT, UNIQUE (site, name))`,
    // roles: JSON array. status: 'enrolled' | 'revoked'. presence: 'online' | 'offline' | 'unknown'.
    `CREATE TABLE agents (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, roles TEXT NOT NULL, status TEXT NOT NULL,
      certificate_serial TEXT, certificate_expires TEXT, enrolled_at TEXT NOT NULL, revoked_at TEXT,
      presence TEXT NOT NULL DEFAULT 'unknown', presence_at TEXT, last_seen TEXT, version TEXT, hostname TEXT)`,
    // Which cards (networks) of an agent are in which segment.
    `CREATE TABLE agent_segments (agent TEXT NOT NULL REFERENCES agents(id), segment TEXT NOT NULL REFERENCES segments(id),
      cidr TEXT, nic TEXT, address TEXT, mac TEXT, gateway TEXT, dns TEXT, PRIMARY KEY (agent, segment))`,
    // One row a stream and epoch: 'next' is the number that comes next; everything below is committed.
    `CREATE TABLE streams (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, stream TEXT NOT NULL, epoch TEXT NOT NULL, next INTEGER NOT NULL, UNIQUE (agent, stream, epoch))`,
    // Every committed record, in order of commit. body: JSON as the agent sent it.
    `CREATE TABLE records (pos INTEGER PRIMARY KEY, stream_id INTEGER NOT NULL REFERENCES streams(id), number INTEGER NOT NULL,
      received_at TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (stream_id, number))`,
    `CREATE TABLE losses (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, stream TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (agent, stream, epoch, first))`,
    `CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, topic TEXT NOT NULL, at TEXT NOT NULL, why TEXT NOT NULL, size INTEGER NOT NULL, payload BLOB NOT NULL)`,
    // How far each worker has read 'records'.
    `CREATE TABLE cursors (worker TEXT PRIMARY KEY, pos INTEGER NOT NULL)`,
  ],
}
