import type { Migration } from '../store/port.ts'

/** What was found in each segment, and how it changed. JSON columns: names, os, ports as the schemas of stream `inventory` have them. */
export const segmentTables: Migration = {
  room: 'segments',
  version: 1,
  statements: [
    // status: 'up' | 'gone'. depth: 'quick' | 'detail'.
    `CREATE TABLE hosts (segment TEXT NOT NULL REFERENCES segments(id), ip TEXT NOT NULL, agent TEXT NOT NULL, mac TEXT, vendor TEXT,
      names TEXT NOT NULL, os TEXT NOT NULL, ports TEXT NOT NULL, depth TEXT NOT NULL, status TEXT NOT NULL,
      first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, gone_at TEXT, PRIMARY KEY (segment, ip))`,
    `CREATE INDEX hosts_mac ON hosts (mac)`,
    `CREATE TABLE host_history (id INTEGER PRIMARY KEY, segment TEXT NOT NULL, ip TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
      words TEXT NOT NULL, before TEXT, after TEXT)`,
    `CREATE INDEX host_history_time ON host_history (segment, at)`,
    `CREATE INDEX host_history_host ON host_history (segment, ip, at)`,
    // received_at: the controller's own clock, for what waits for a scan; the other times are the appliance's.
    `CREATE TABLE scans (id TEXT NOT NULL, phase TEXT NOT NULL, agent TEXT NOT NULL, segment TEXT NOT NULL, cidr TEXT NOT NULL, request TEXT,
      outcome TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, targets INTEGER NOT NULL, hosts_up INTEGER NOT NULL, reason TEXT,
      received_at TEXT NOT NULL, PRIMARY KEY (id, phase))`,
    `CREATE INDEX scans_segment ON scans (segment, started_at)`,
  ],
}

/** When a segment is busy: `activity.ts`. */
export const segmentActivityTables: Migration = {
  room: 'segments',
  version: 2,
  statements: [
    // slot: hour of the week from Monday 00:00 UTC. at: milliseconds since 1970 of the newest observation.
    `CREATE TABLE segment_activity (segment TEXT NOT NULL REFERENCES segments(id), source TEXT NOT NULL, slot INTEGER NOT NULL,
      weight REAL NOT NULL, amount REAL NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (segment, source, slot))`,
  ],
}
