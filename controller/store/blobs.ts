import { createHash } from 'node:crypto'
import type { FilePart } from '../../shared/schemas/event.ts'
import type { Migration, Sql } from './port.ts'

/**
 * Captured files and tty logs, by hash. Parts gather by agent, so that one agent cannot mix its bytes into what another
 * sends; the last part makes the blob whole:
 *
 *   file part -> blob_parts (agent, sha256, part) -> all there -> hash checked -> blobs (sha256)
 */
export const blobTables: Migration = {
  room: 'blobs',
  version: 1,
  statements: [
    // kind: 'tty' | 'capture'. verified: 1 when the bytes have this hash; 0 when cut to the cap, so that they cannot.
    `CREATE TABLE IF NOT EXISTS blobs (sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, size INTEGER NOT NULL, original_size INTEGER NOT NULL,
      parts INTEGER NOT NULL, verified INTEGER NOT NULL, agent TEXT NOT NULL, at TEXT NOT NULL, data BLOB NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS blob_parts (agent TEXT NOT NULL, sha256 TEXT NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL,
      at TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (agent, sha256, part))`,
  ],
}

/** Bytes a whole blob may have; the agent cuts earlier. */
const maxBlobBytes = 64 * 1_048_576
const maxParts = 4096

export type Blob = { sha256: string; kind: FilePart['kind']; size: number; originalSize: number; verified: boolean }

/** Keeps one part; when it was the last, the blob becomes readable. Returns why the part cannot be used, if so. */
export async function storePart(sql: Sql, agent: string, part: FilePart, now: string): Promise<string | undefined> {
  if (part.part >= part.parts) return `part ${part.part} of ${part.parts}`
  if (part.parts > maxParts || part.size > maxBlobBytes) return `a blob of ${part.size} bytes in ${part.parts} parts`
  if (await sql.get('SELECT 1 FROM blobs WHERE sha256 = ? AND verified = 1', part.sha256)) return undefined
  const data = Buffer.from(part.data, 'base64')
  const cut = part.originalSize > part.size
  if (part.parts === 1) return keepWhole(sql, agent, part, data, cut, now)
  await sql.run('DELETE FROM blob_parts WHERE agent = ? AND sha256 = ? AND parts <> ?', agent, part.sha256, part.parts)
  await sql.run(
    `INSERT INTO blob_parts (agent, sha256, part, parts, at, data) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent, sha256, part) DO UPDATE SET data = excluded.data`,
    agent,
    part.sha256,
    part.part,
    part.parts,
    now,
    data,
  )
  const have = await sql.get<{ n: number; bytes: number }>(
    'SELECT count(*) AS n, sum(length(data)) AS bytes FROM blob_parts WHERE agent = ? AND sha256 = ?',
    agent,
    part.sha256,
  )
  const over = (have?.bytes ?? 0) > part.size
  if ((have?.n ?? 0) < part.parts && !over) return undefined
  const rows = await sql.all<{ data: Uint8Array }>(
    'SELECT data FROM blob_parts WHERE agent = ? AND sha256 = ? ORDER BY part',
    agent,
    part.sha256,
  )
  await sql.run('DELETE FROM blob_parts WHERE agent = ? AND sha256 = ?', agent, part.sha256)
  if (over) return `its parts have ${have?.bytes} bytes, ${part.size} were announced`
  return keepWhole(sql, agent, part, Buffer.concat(rows.map((row) => row.data)), cut, now)
}

async function keepWhole(
  sql: Sql,
  agent: string,
  part: FilePart,
  data: Buffer,
  cut: boolean,
  now: string,
): Promise<string | undefined> {
  if (data.length !== part.size) return `it has ${data.length} bytes, ${part.size} were announced`
  const verified = createHash('sha256').update(data).digest('hex') === part.sha256
  if (!verified && !cut) return `its bytes do not have the hash ${part.sha256}`
  await sql.run(
    `INSERT INTO blobs (sha256, kind, size, original_size, parts, verified, agent, at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (sha256) DO UPDATE SET kind = excluded.kind, size = excluded.size, original_size = excluded.original_size,
       parts = excluded.parts, verified = excluded.verified, agent = excluded.agent, at = excluded.at, data = excluded.data
     WHERE excluded.verified > blobs.verified`,
    part.sha256,
    part.kind,
    part.size,
    part.originalSize,
    part.parts,
    verified ? 1 : 0,
    agent,
    now,
    data,
  )
  return undefined
}

/** How many parts have come of a blob that is not whole. */
export async function partsKept(sql: Sql, sha256: string): Promise<number> {
  return (await sql.get<{ n: number }>('SELECT count(*) AS n FROM blob_parts WHERE sha256 = ?', sha256))?.n ?? 0
}

/** A whole blob, or undefined while parts are missing. */
export async function readBlob(sql: Sql, sha256: string): Promise<(Blob & { data: Buffer }) | undefined> {
  const row = await sql.get<{
    sha256: string
    kind: FilePart['kind']
    size: number
    original_size: number
    verified: number
    data: Uint8Array
  }>('SELECT sha256, kind, size, original_size, verified, data FROM blobs WHERE sha256 = ?', sha256)
  if (!row) return undefined
  const { kind, size, data } = row
  return {
    sha256,
    kind,
    size,
    originalSize: row.original_size,
    verified: row.verified === 1,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  }
}
