import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import type { PublicKey } from '../../shared/minisign.ts'
import {
  type Architecture,
  desiredUpdate,
  type ReleaseManifest,
  type ReleasePart,
} from '../../shared/schemas/update.ts'
import { type Disk, realDisk } from './disk.ts'
import { updatesFolder } from './held.ts'
import { checkSpace, partPath, removeParts } from './parts.ts'
import { meantFor, signedManifest } from './release.ts'
import type { Offline } from './steps.ts'

const run = promisify(execFile)
const stored = desiredUpdate.omit({ step: true, bytesPerSecond: true })
export const offlinePath = (stateDir: string) => join(updatesFolder(stateDir), 'offline.json')

/** What was brought to this box and is not taken yet; what cannot be read is none. */
export async function readOffline(stateDir: string): Promise<Offline | undefined> {
  const text = await readIfThere(offlinePath(stateDir)).catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return stored.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export const removeOffline = (disk: Disk, stateDir: string): Promise<void> => disk.remove(offlinePath(stateDir))

export type Bundle = { text(name: string): Promise<string>; open(name: string): Promise<Readable> }

/** A release as a folder, or as one tar archive of that folder. Throws UPDATE_UNUSABLE. */
export async function openBundle(from: string): Promise<Bundle> {
  const unusable = (why: string) => new MarshlightError('UPDATE_UNUSABLE', { what: from, why: why.slice(0, 300) })
  const found = await stat(from).catch((error) => {
    throw unusable(wordsOf(error))
  })
  if (found.isDirectory())
    return {
      text: (name) =>
        readFile(join(from, name), 'utf8').catch((error) => {
          throw unusable(wordsOf(error))
        }),
      open: async (name) => createReadStream(join(from, name)),
    }
  const { stdout } = await run('tar', ['-tf', from], { maxBuffer: 1_048_576 }).catch((error) => {
    throw unusable(`it is no tar archive: ${wordsOf(error)}`)
  })
  const member = (name: string): string => {
    const path = stdout.split('\n').find((one) => one.split('/').pop() === name)
    if (path === undefined) throw unusable(`there is no ${name} in it`)
    return path
  }
  const open = async (name: string) => {
    const tar = spawn('tar', ['-xOf', from, member(name)], { stdio: ['ignore', 'pipe', 'ignore'] })
    return tar.stdout
  }
  return {
    open,
    async text(name) {
      let text = ''
      for await (const chunk of await open(name)) {
        text += chunk
        if (text.length > 131_072) throw unusable(`${name} is too long`)
      }
      return text
    },
  }
}

/**
 * Takes a release from a stick: its parts for this box, verified, then the word that it is here. Throws UPDATE_*, DISK_FULL.
 * What the running agent holds against it (older, wrong architecture, no launcher) it says itself, to its controller, too.
 * `highest`: of an agent that does not run, of what it took; then the first two are told here.
 */
export async function takeBundle(o: {
  bundle: Bundle
  stateDir: string
  keys: readonly PublicKey[]
  arch: Architecture
  highest?: number | undefined
  rollout: string
  allowOlder: boolean
  confirmWithinSeconds: number
  disk?: Disk
  onPart(part: ReleasePart): void
}): Promise<ReleaseManifest> {
  const { bundle, stateDir, keys, arch, highest, disk = realDisk } = o
  const [manifest, signature] = [await bundle.text('manifest.json'), await bundle.text('manifest.json.minisig')]
  const release = signedManifest({ manifest, signature }, keys)
  if (highest !== undefined) meantFor({ manifest, signature, allowOlder: o.allowOlder }, { keys, arch, highest })
  const parts = release.parts.filter((part) => part.arch === arch)
  await removeOffline(disk, stateDir)
  await checkSpace(stateDir, parts)
  await mkdir(updatesFolder(stateDir), { recursive: true, mode: 0o700 })
  for (const part of parts) {
    o.onPart(part)
    await copy(await bundle.open(part.file), part, partPath(stateDir, part)).catch(async (error) => {
      await removeParts(disk, stateDir, [])
      throw error
    })
  }
  const { rollout, allowOlder, confirmWithinSeconds } = o
  const offline: Offline = { rollout, manifest, signature, allowOlder, confirmWithinSeconds }
  await disk.write(offlinePath(stateDir), JSON.stringify(stored.parse(offline)))
  return release
}

async function copy(from: Readable, part: ReleasePart, to: string): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  const altered = (why: string) => new MarshlightError('UPDATE_ALTERED', { file: part.file, why })
  try {
    await pipeline(
      from,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          bytes += chunk.length
          if (bytes > part.bytes) throw altered(`it has more than the ${part.bytes} bytes signed for`)
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(to, { mode: 0o600, flush: true }),
    )
  } catch (error) {
    if (error instanceof MarshlightError) throw error
    // Only what is written to can be full.
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw new MarshlightError('DISK_FULL', { path: to })
    throw altered(wordsOf(error))
  }
  if (bytes !== part.bytes) throw altered(`it has ${bytes} of the ${part.bytes} bytes signed for`)
  if (hash.digest('hex') !== part.sha256) throw altered('its hash is another than the one signed for')
}
