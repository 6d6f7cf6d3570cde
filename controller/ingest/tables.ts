import { blobTables } from '../store/blobs.ts'
import type { Migration } from '../store/port.ts'

export const ingestTables: Migration = {
  room: 'ingest',
  version: 1,
  statements: [
    // A commit of the stream `files` writes them, so they come with ingest wherever it runs.
    ...blobTables.statements,
    // Sums since the beginning; they stay when records fall to retention. duplicated: came again and was not taken again.
    `CREATE TABLE ingest_totals (agent TEXT NOT NULL, stream TEXT NOT NULL, committed INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
      lost INTEGER NOT NULL DEFAULT 0, duplicated INTEGER NOT NULL DEFAULT 0, last_at TEXT, PRIMARY KEY (agent, stream))`,
    `CREATE INDEX dead_letters_by_agent ON dead_letters (agent, id)`,
  ],
}
