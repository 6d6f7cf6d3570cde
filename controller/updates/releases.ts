import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { parseManifest } from '../../shared/release.ts'
import type { ReleaseManifest } from '../../shared/schemas/update.ts'
import type { Sql, Store } from '../store/port.ts'

/** A release that is kept here; its files are in `folderOf`. */
export type Release = {
  version: string
  sequence: number
  key: string
  addedAt: string
  manifest: ReleaseManifest
  manifestText: string
  signature: string
}

export const releasesIn = (dataDir: string): string => join(dataDir, 'releases')
export const incomingIn = (dataDir: string): string => join(releasesIn(dataDir), '.incoming')
export const folderOf = (dataDir: string, version: string): string => join(releasesIn(dataDir), version)

const columns = 'version, sequence, key, added_at AS addedAt, manifest AS manifestText, signature'
type Row = Omit<Release, 'manifest'>
const toRelease = (row: Row): Release => ({ ...row, manifest: parseManifest(row.manifestText) })

/** Newest first. */
export async function listReleases(sql: Sql): Promise<Release[]> {
  const rows = await sql.all<Row>(`SELECT ${columns} FROM releases WHERE removed_at IS NULL ORDER BY sequence DESC`)
  return rows.map(toRelease)
}

/** Throws NOT_FOUND. */
export async function findRelease(sql: Sql, version: string): Promise<Release> {
  const row = await sql.get<Row>(`SELECT ${columns} FROM releases WHERE removed_at IS NULL AND version = ?`, version)
  if (!row)
    throw new MarshlightError('NOT_FOUND', { kind: 'release', value: version, command: 'marshlight updates ls' })
  return toRelease(row)
}

/**
 * Whether a release may be taken, by what was ever taken here: a version and a sequence are one release's for good, and
 * what is below the newest is only for going back. Throws CONFLICT, RELEASE_OLDER.
 */
export async function mustBeNew(
  sql: Sql,
  { version, sequence }: ReleaseManifest,
  text: string,
  older: boolean,
): Promise<void> {
  const all = await sql.all<{ version: string; sequence: number; manifest: string; removed_at: string | null }>(
    'SELECT version, sequence, manifest, removed_at FROM releases ORDER BY sequence DESC',
  )
  const same = all.find((one) => one.version === version)
  if (same && same.manifest !== text)
    throw new MarshlightError('CONFLICT', {
      what: `another release ${version} was added before`,
      next: 'A version is never given twice: make this one anew under another.',
    })
  if (same && same.removed_at === null)
    throw new MarshlightError('CONFLICT', {
      what: `release ${version} is here already`,
      next: 'Nothing is to be done.',
    })
  const rival = all.find((one) => one.sequence === sequence && one.version !== version)
  if (rival)
    throw new MarshlightError('CONFLICT', {
      what: `sequence ${sequence} is that of release ${rival.version}`,
      next: 'A sequence is never given twice: make this one anew with a higher.',
    })
  const newest = all.find((one) => one.sequence > sequence)
  if (newest && !older)
    throw new MarshlightError('RELEASE_OLDER', {
      version,
      sequence,
      highest: all[0]?.sequence,
      newest: all[0]?.version,
    })
}

export const insertRelease = (sql: Sql, release: Row) =>
  sql.run(
    `INSERT INTO releases (version, sequence, key, added_at, manifest, signature) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (version) DO UPDATE SET key = excluded.key, added_at = excluded.added_at, signature = excluded.signature, removed_at = NULL`,
    release.version,
    release.sequence,
    release.key,
    release.addedAt,
    release.manifestText,
    release.signature,
  )

/** Its files go; that it was here stays known. Throws CONFLICT while a rollout or a box still needs it. */
export async function removeRelease(store: Store, dataDir: string, version: string, at: string): Promise<void> {
  await store.tx(async (sql) => {
    const used = await sql.get<{ id: string; status: string; boxes: number }>(
      `SELECT o.id, o.status, (SELECT COUNT(*) FROM rollout_boxes b JOIN agents a ON a.id = b.agent
         WHERE b.rollout = o.id AND b.ordered <> 'none' AND a.status = 'enrolled'
           AND (o.status <> 'aborted' OR b.phase IN ('installing', 'trial'))) AS boxes
       FROM rollouts o WHERE o.version = ? AND (o.status IN ('running', 'paused') OR boxes > 0) ORDER BY o.id DESC LIMIT 1`,
      version,
    )
    if (used)
      throw new MarshlightError('CONFLICT', {
        what: `rollout ${used.id.slice(-8)} (${used.status}) of release ${version} still orders it for ${used.boxes} boxes`,
        next: `Roll out another, or end it: \`marshlight updates abort ${used.id.slice(-8)}\`.`,
      })
    await sql.run(
      "UPDATE rollouts SET status = 'aborted', why = 'its release was removed', ended_at = ? WHERE version = ? AND status = 'planned'",
      at,
      version,
    )
    await sql.run('UPDATE releases SET removed_at = ? WHERE version = ?', at, version)
  })
  await rm(folderOf(dataDir, version), { recursive: true, force: true })
}

/** At the start: what was on its way when the controller ended goes, and folders that no release owns. */
export function makeReleaseSweep({ store, dataDir, log }: { store: Store; dataDir: string; log: Log }): Part {
  return {
    name: 'releases',
    async start() {
      await rm(incomingIn(dataDir), { recursive: true, force: true })
      const known = new Set((await listReleases(store)).map(({ version }) => version))
      const names = await readdir(releasesIn(dataDir)).catch(() => [])
      for (const name of names.filter((one) => !known.has(one))) {
        await rm(join(releasesIn(dataDir), name), { recursive: true, force: true })
        log.warn({ name }, 'removed the files of a release that was not taken to its end')
      }
    },
    async stop() {},
  }
}
