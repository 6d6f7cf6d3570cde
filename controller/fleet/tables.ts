import type { Migration } from '../store/port.ts'

export const fleetTables: Migration = {
  version: 1,
  room: 'fleet',
  statements: [
    // secret_hash: SHA-256 of the secret, hex. csr_hash and answered_at: so that a lost answer can be given once more.
    `CREATE TABLE claims (id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, name TEXT, roles TEXT NOT NULL, segment TEXT NOT NULL REFERENCES segments(id),
      made_at TEXT NOT NULL, expires_at TEXT NOT NULL, used_at TEXT, agent TEXT, csr_hash TEXT)`,
    `CREATE TABLE desired (agent TEXT NOT NULL, kind TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL, sig TEXT NOT NULL,
      issued_at TEXT NOT NULL, expires_at TEXT NOT NULL, content_hash TEXT NOT NULL, PRIMARY KEY (agent, kind))`,
    // What happened to an agent's connection and standing, the last few hundred.
    `CREATE TABLE agent_events (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL)`,
    `CREATE INDEX agent_events_by_agent ON agent_events (agent, id)`,
    // What the agent last said of its documents.
    `CREATE TABLE document_standing (agent TEXT NOT NULL, document TEXT NOT NULL, revision INTEGER NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL,
      count INTEGER, code TEXT, reason TEXT, PRIMARY KEY (agent, document))`,
    // Last health record of each agent, as it sent it.
    `CREATE TABLE agent_health (agent TEXT PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL)`,
  ],
}

/** Certificates beside the present one, which stands with its agent: given and not used yet, or no longer good. */
export const certificateTables: Migration = {
  version: 2,
  room: 'fleet',
  statements: [
    // ended_at NULL: given by a renewal; its first use makes it the present one. serial: hex, lower case.
    `CREATE TABLE agent_certificates (serial TEXT PRIMARY KEY, agent TEXT NOT NULL, given_at TEXT, expires_at TEXT NOT NULL,
      ended_at TEXT, ended_why TEXT)`,
    `CREATE INDEX agent_certificates_by_agent ON agent_certificates (agent)`,
    // The box an agent is bound to: hashes of its board and cards, and where it was last.
    `CREATE TABLE agent_hardware (agent TEXT PRIMARY KEY, body TEXT NOT NULL, address TEXT, since TEXT NOT NULL)`,
    // The agent that the box which uses this claim becomes.
    `ALTER TABLE claims ADD COLUMN replaces TEXT`,
    // JSON array of networks it may be used from; NULL for any.
    `ALTER TABLE claims ADD COLUMN sources TEXT`,
    // Who asked and waits for approval: hash of its request, and as JSON what it says of itself. decision: approved | rejected.
    ...['asked_at', 'asked_by', 'asked', 'decision', 'decided_at'].map(
      (name) => `ALTER TABLE claims ADD COLUMN ${name} TEXT`,
    ),
  ],
}

/** Claims that people type as a code, and claims for a place that the box itself tells. */
export const codeTables: Migration = {
  version: 3,
  room: 'claims',
  statements: [
    // SHA-256, hexadecimal, of the secret part of the code.
    'ALTER TABLE claims ADD COLUMN code_hash TEXT',
    'ALTER TABLE claims ADD COLUMN code_expires_at TEXT',
    'CREATE UNIQUE INDEX claims_by_code ON claims (code_hash) WHERE code_hash IS NOT NULL',
    // JSON array of networks of which the box has to stand in one; NULL for any.
    'ALTER TABLE claims ADD COLUMN within TEXT',
  ],
}

/** What people and boxes say of boxes, and what sites shall be. */
export const careTables: Migration = {
  version: 4,
  room: 'care',
  statements: [
    // origin: 'person', or 'place': it came with the plan of the site, and goes when the box leaves.
    `CREATE TABLE agent_tags (agent TEXT NOT NULL, tag TEXT NOT NULL, origin TEXT NOT NULL, PRIMARY KEY (agent, tag))`,
    // Its last hello. config, right_config: hashes of its configuration, and of the one it is held to.
    `CREATE TABLE agent_told (agent TEXT PRIMARY KEY, at TEXT NOT NULL, plan_revision INTEGER NOT NULL, blocks_revision INTEGER NOT NULL,
      config TEXT, right_config TEXT)`,
    // body: JSON, a plan of a site. template: the name of the one it was made from.
    `CREATE TABLE site_plans (site TEXT PRIMARY KEY REFERENCES sites(id), body TEXT NOT NULL, template TEXT, changed_at TEXT NOT NULL)`,
    `CREATE TABLE site_templates (name TEXT PRIMARY KEY, body TEXT NOT NULL, changed_at TEXT NOT NULL)`,
  ],
}

/** Who holds a box's key. */
export const keyTables: Migration = {
  version: 5,
  room: 'care',
  statements: ['ALTER TABLE agent_told ADD COLUMN key_held_by TEXT'],
}

/** Boxes that were without power past their certificate's end, and wait for approval as claims that no secret opens. */
export const lateTables: Migration = {
  version: 4,
  room: 'claims',
  statements: [
    // Serial of the certificate that had ended, hexadecimal.
    'ALTER TABLE claims ADD COLUMN late_serial TEXT',
    'CREATE INDEX claims_by_late_serial ON claims (late_serial) WHERE late_serial IS NOT NULL',
  ],
}
