import type { Migration } from '../store/port.ts'

export const updateTables: Migration = {
  version: 1,
  room: 'updates',
  statements: [
    // removed_at: its files are gone; the row stays, so that neither its version nor its sequence serves for another.
    `CREATE TABLE releases (version TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE, manifest TEXT NOT NULL, signature TEXT NOT NULL,
      key TEXT NOT NULL, added_at TEXT NOT NULL, removed_at TEXT)`,
    // What each box last said that it runs. body: "running" of the contract.
    `CREATE TABLE agent_running (agent TEXT PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL)`,
    // policy: JSON. status: planned | running | paused | done | aborted. ring: the one that is open; -1: none yet.
    // Times in *_ms are on the rollout's own clock, watched_ms: what it ran while somebody watched, in milliseconds.
    `CREATE TABLE rollouts (id TEXT PRIMARY KEY, version TEXT NOT NULL, kind TEXT NOT NULL, policy TEXT NOT NULL, status TEXT NOT NULL,
      why TEXT, made_at TEXT NOT NULL, started_at TEXT, ended_at TEXT, ring INTEGER NOT NULL, ring_ms INTEGER NOT NULL, gate_ms INTEGER,
      watched_ms INTEGER NOT NULL, looked_at TEXT)`,
    // ordered: none | fetch | install. phase and what follows: what the box last told of this rollout. before: how it was when it was ordered. late: its ring goes on without it.
    `CREATE TABLE rollout_boxes (rollout TEXT NOT NULL, agent TEXT NOT NULL, ring INTEGER NOT NULL, ordered TEXT NOT NULL, ordered_at TEXT,
      ordered_ms INTEGER, phase TEXT, phase_at TEXT, bytes INTEGER, of INTEGER, code TEXT, reason TEXT, before TEXT, unwell_ms INTEGER, late INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (rollout, agent))`,
    `CREATE INDEX rollout_boxes_by_agent ON rollout_boxes (agent)`,
  ],
}
