import type { Migration } from '../store/port.ts'

export const auditTables: Migration = {
  version: 1,
  room: 'audit',
  statements: [
    // One audit or touch of one decoy. kind: audit | touch. status: queued | running | done | failed. reason: deploy |
    // schedule | admin. ip, mac, port_from, port_to: the place it looked from, drawn for this once, ours from from_at to
    // until_at. beside, findings: JSON. latency_ms: of a touch, from the decoy's event to the alert. outcome: kept |
    // rolled-back | refused | told; of a touch alert | if-repeated |
    // below | exempt.
    `CREATE TABLE audit_runs (id TEXT PRIMARY KEY, kind TEXT NOT NULL, decoy TEXT NOT NULL, agent TEXT NOT NULL, segment TEXT NOT NULL,
      reason TEXT NOT NULL, status TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL, persona_version INTEGER,
      ip TEXT, mac TEXT, port_from INTEGER, port_to INTEGER, from_at TEXT, until_at TEXT, username TEXT, score REAL, weight REAL,
      beside TEXT, findings TEXT, took_ms REAL, latency_ms REAL, ended_at TEXT, why TEXT, outcome TEXT)`,
    `CREATE INDEX audit_runs_decoy ON audit_runs (decoy, kind, id)`,
    `CREATE INDEX audit_runs_until ON audit_runs (until_at) WHERE until_at IS NOT NULL`,
    `CREATE INDEX audit_runs_open ON audit_runs (status) WHERE status IN ('queued', 'running')`,
  ],
}
