import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { syncFolder, writeFileAtomic } from '../../shared/files.ts'
import { newId } from '../../shared/ids.ts'
import { manifestFile, openManifest, signatureFile } from '../../shared/release.ts'
import type { ReleaseManifest } from '../../shared/schemas/update.ts'
import type { Deps } from '../deps.ts'
import { readKeys } from './keys.ts'
import { folderOf, incomingIn, insertRelease, mustBeNew, releasesIn } from './releases.ts'

type Given = { manifest: string; signature: string; older: boolean }
type Incoming = Given & { read: ReleaseManifest; key: string; here: Set<string> }

/** Kept free for the controller's own work. */
const spareBytes = 256 * 1_048_576

/**
 * Releases on their way in: signature first, then each file, hashed while it is written, then all at once.
 *
 *   begin -> put file ... -> finish: folder renamed, row written        whatever is wrong anywhere: nothing is kept
 */
export function makeIncoming({ store, dataDir, clock }: Pick<Deps, 'store' | 'dataDir' | 'clock'>) {
  const coming = new Map<string, Incoming>()
  const folder = (id: string) => join(incomingIn(dataDir), id)

  async function drop(id: string): Promise<void> {
    coming.delete(id)
    await rm(folder(id), { recursive: true, force: true })
  }

  function known(id: string): Incoming {
    const found = coming.get(id)
    if (!found)
      throw new MarshlightError('CONFLICT', { what: 'this release is not on its way any more', next: 'Add it again.' })
    return found
  }

  async function check({ manifest, signature, older }: Given) {
    const opened = openManifest(manifest, signature, await readKeys(dataDir))
    await store.tx((sql) => mustBeNew(sql, opened.manifest, manifest, older))
    return opened
  }

  return {
    check,
    /** Throws RELEASE_UNSIGNED, RELEASE_DAMAGED, RELEASE_OLDER, CONFLICT, DISK_FULL. */
    async begin(given: Given): Promise<{ id: string; manifest: ReleaseManifest }> {
      const { manifest, key } = await check(given)
      // Who began the same one before has given up.
      for (const [id, other] of coming) if (other.read.version === manifest.version) await drop(id)
      const id = newId(clock.now())
      await mkdir(folder(id), { recursive: true, mode: 0o700 })
      const { bavail, bsize } = await statfs(folder(id))
      if (bavail * bsize < manifest.parts.reduce((sum, { bytes }) => sum + bytes, spareBytes)) {
        await drop(id)
        throw new MarshlightError('DISK_FULL', { path: releasesIn(dataDir) })
      }
      coming.set(id, { ...given, read: manifest, key, here: new Set() })
      return { id, manifest }
    },

    /** One file of it. Throws RELEASE_DAMAGED, and all of the release is gone then. */
    async put(id: string, file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
      const release = known(id)
      const part = release.read.parts.find((one) => one.file === file)
      if (!part)
        throw new MarshlightError('NOT_FOUND', {
          kind: 'file of this release',
          value: file,
          command: 'marshlight updates verify',
        })
      try {
        const { bytes, sha256 } = await write(join(folder(id), file), content, part.bytes)
        const why =
          bytes !== part.bytes
            ? `it has ${bytes > part.bytes ? 'more than ' : ''}${Math.min(bytes, part.bytes)} bytes, ${part.bytes} were signed`
            : `its SHA-256 is ${sha256.slice(0, 12)}…, ${part.sha256.slice(0, 12)}… was signed`
        if (bytes !== part.bytes || sha256 !== part.sha256)
          throw new MarshlightError('RELEASE_DAMAGED', { what: file, why })
        release.here.add(file)
      } catch (error) {
        await drop(id)
        throw error
      }
    },

    /** Throws RELEASE_DAMAGED where a file is missing, and what `begin` throws. */
    async finish(id: string): Promise<ReleaseManifest> {
      const { read: manifest, manifest: text, signature, older, key, here } = known(id)
      try {
        const missing = manifest.parts.find(({ file }) => !here.has(file))
        if (missing) throw new MarshlightError('RELEASE_DAMAGED', { what: missing.file, why: 'it is missing' })
        await writeFileAtomic(join(folder(id), manifestFile), text, 0o644)
        await writeFileAtomic(join(folder(id), signatureFile), signature, 0o644)
        await syncFolder(folder(id))
        const { version, sequence } = manifest
        await store.tx(async (sql) => {
          await mustBeNew(sql, manifest, text, older)
          const place = folderOf(dataDir, version)
          // Left by an end between the two steps below: no row owns it.
          await rm(place, { recursive: true, force: true })
          await rename(folder(id), place)
          await syncFolder(releasesIn(dataDir))
          await insertRelease(sql, { version, sequence, key, addedAt: isoNow(clock), manifestText: text, signature })
        })
        return manifest
      } finally {
        await drop(id)
      }
    },
    drop,
  }
}

export type IncomingReleases = ReturnType<typeof makeIncoming>

/** What comes past `most` is counted and not kept. */
async function write(path: string, content: AsyncIterable<Uint8Array>, most: number) {
  const hash = createHash('sha256')
  let bytes = 0
  async function* counted() {
    for await (const chunk of content) {
      bytes += chunk.length
      // Read to its end all the same: who sends hears the answer only then.
      if (bytes > most) continue
      hash.update(chunk)
      yield chunk
    }
  }
  const file = await open(path, 'w', 0o644)
  try {
    await file.writeFile(counted())
    await file.sync()
  } finally {
    await file.close()
  }
  return { bytes, sha256: hash.digest('hex') }
}
