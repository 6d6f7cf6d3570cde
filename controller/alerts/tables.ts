import type { Migration } from '../store/port.ts'

export const alertTables: Migration = {
  version: 1,
  room: 'alerts',
  statements: [
    // One row a group: what happens again within the grouping time raises `count` and `last_at`. status: open | acknowledged | closed.
    // event_at, received_at: decoy's time of the evidence that raised it, and the controller's of its record.
    `CREATE TABLE alerts (id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, title TEXT NOT NULL, reasons TEXT NOT NULL,
      score REAL, status TEXT NOT NULL, count INTEGER NOT NULL, created_at TEXT NOT NULL, last_at TEXT NOT NULL,
      event_at TEXT, received_at TEXT, ended_at TEXT, ended_why TEXT)`,
    `CREATE INDEX alerts_group ON alerts (kind, subject, status, last_at)`,
    // What is on its way to a channel. id: the receiver's key to know a second delivery by. status: pending | sent | failed.
    `CREATE TABLE alert_outbox (id TEXT PRIMARY KEY, alert TEXT NOT NULL, channel TEXT NOT NULL, payload TEXT NOT NULL, status TEXT NOT NULL,
      attempts INTEGER NOT NULL, next_at TEXT NOT NULL, created_at TEXT NOT NULL, sent_at TEXT, last_error TEXT)`,
    `CREATE INDEX alert_outbox_due ON alert_outbox (channel, next_at) WHERE status = 'pending'`,
    // Decoys that are to be ready, and since when they are not (NULL: they are).
    `CREATE TABLE alert_decoys (decoy TEXT PRIMARY KEY, agent TEXT NOT NULL, phase TEXT NOT NULL, unready_since TEXT, reason TEXT)`,
    `CREATE INDEX alert_decoys_unready ON alert_decoys (unready_since) WHERE unready_since IS NOT NULL`,
  ],
}
