import { createHash } from 'node:crypto'
import { type FileHandle, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isoNow } from '../../shared/clock.ts'
import type { Log } from '../../shared/log.ts'
import type { FilePart } from '../../shared/schemas/event.ts'
import type { Spool } from '../spool/port.ts'
import { namesIn, withFile } from './safe-read.ts'
import type { SentHashes } from './sent-hashes.ts'

export type BlobDeps = {
  spool: Pick<Spool, 'append'>
  sent: SentHashes
  clock: Clock
  log: Log
  decoy: string
  /** The decoy's `out` folder. */
  out: string
  /** Bytes of a blob that are sent at most. */
  blobBytes: number
  /** The session a blob was named in, once its event is read. */
  sessionOf: (sha256: string) => string | undefined
}

const folders = [
  ['tty', 'tty'],
  ['files', 'capture'],
] as const
const digest = /^[0-9a-f]{64}$/
const partBytes = 48_000
/** Parts in one append: about half a megabyte. */
const partsAtOnce = 8
/** The event that names a blob comes right after it; a blob that stays nameless for so long goes up without a session. */
const namelessMs = 2000

/** Sends tty logs and captured files of one decoy up, each hash once, and removes them here. */
export function makeBlobs(deps: BlobDeps) {
  const { spool, sent, clock, log } = deps

  async function send(path: string, kind: FilePart['kind'], sha256: string, final: boolean): Promise<void> {
    const mark = `${kind} ${sha256}`
    const session = deps.sessionOf(sha256)
    const done = await withFile(path, async (file, { size, mtimeMs }) => {
      if (sent.has(mark)) return true
      if (session === undefined && !final && clock.now() - mtimeMs < namelessMs) return false
      if (await isWhatItSays(file, sha256)) {
        await append(file, { kind, sha256, originalSize: size, ...(session !== undefined && { session }) })
        await sent.add(mark)
      } else await tellForged(kind, sha256)
      return true
    })
    // What is no regular file is none of a service's, and is put away too.
    if (done !== false)
      await unlink(path).catch((error) => log.warn({ path, err: error }, 'could not remove a sent file'))
  }

  async function append(file: FileHandle, of: Pick<FilePart, 'kind' | 'sha256' | 'originalSize' | 'session'>) {
    const size = Math.min(of.originalSize, deps.blobBytes)
    const parts = Math.max(1, Math.ceil(size / partBytes))
    const head = { type: 'file' as const, at: isoNow(clock), decoy: deps.decoy, size, parts, ...of }
    for (let first = 0; first < parts; first += partsAtOnce) {
      const records: FilePart[] = []
      for (let part = first; part < Math.min(parts, first + partsAtOnce); part++) {
        const length = Math.min(partBytes, size - part * partBytes)
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, part * partBytes)
        records.push({ ...head, part, data: buffer.subarray(0, bytesRead).toString('base64') })
      }
      await spool.append('files', records)
    }
  }

  async function tellForged(kind: string, sha256: string): Promise<void> {
    const message = `decoy ${deps.decoy} left a file as ${sha256} (${kind}) that is not what its name says; it was removed`
    log.warn({ decoy: deps.decoy, kind, sha256 }, message)
    const head = { type: 'notice' as const, at: isoNow(clock), level: 'warning' as const }
    await spool.append('state', [{ ...head, code: 'CAPTURE_FORGED', message, data: { decoy: deps.decoy } }])
  }

  return {
    /** Sends what is finished. With `final`, all that is there. */
    async drain(final: boolean): Promise<void> {
      for (const [folder, kind] of folders)
        for (const name of await namesIn(join(deps.out, folder)))
          if (digest.test(name)) await send(join(deps.out, folder, name), kind, name, final)
    },
  }
}

/** The name of a blob is its SHA-256: a service that was taken over could write anything else there. */
async function isWhatItSays(file: FileHandle, sha256: string): Promise<boolean> {
  const hash = createHash('sha256')
  const piece = Buffer.alloc(65_536)
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at)
    if (bytesRead === 0) return hash.digest('hex') === sha256
    hash.update(piece.subarray(0, bytesRead))
    at += bytesRead
  }
}
