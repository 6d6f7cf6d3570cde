import type { Migration } from '../store/port.ts'

export const driftSettingTables: Migration = {
  room: 'drift-settings',
  version: 1,
  statements: [
    // source: '' for everyone, else the address whose view it is. drift: JSON; null: none at all for that view.
    // One that was replaced, cleared or whose time was over is ended, and kept.
    `CREATE TABLE drift_settings (id TEXT PRIMARY KEY, decoy TEXT NOT NULL, source TEXT NOT NULL, drift TEXT NOT NULL, set_by TEXT NOT NULL,
      reason TEXT NOT NULL, set_at TEXT NOT NULL, until TEXT, ended_at TEXT, ended_why TEXT)`,
    `CREATE UNIQUE INDEX drift_settings_in_force ON drift_settings (decoy, source) WHERE ended_at IS NULL`,
    `CREATE INDEX drift_settings_history ON drift_settings (decoy, set_at)`,
  ],
}
