import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import type { Component, ReleasePart } from '../../shared/schemas/update.ts'
import type { Disk } from './disk.ts'
import { updatesFolder } from './held.ts'

/** Files of parts, named by the hash that was signed for, whole or in part. */
export const partsFolder = (stateDir: string) => join(updatesFolder(stateDir), 'parts')
export const partPath = (stateDir: string, { sha256 }: Pick<ReleasePart, 'sha256'>) =>
  join(partsFolder(stateDir), sha256)

/** What is installed takes so many times the part's bytes besides it. */
const unpacked: Record<Component, number> = { agent: 6, decoys: 2, system: 0 }
/** Left to the spool and everything else. */
const reserveBytes = 67_108_864

export async function bytesHere(stateDir: string): Promise<Record<string, number>> {
  const folder = partsFolder(stateDir)
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name))
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).then(({ size }) => size)))
  return Object.fromEntries(names.map((name, at) => [name, sizes[at] ?? 0]))
}

export async function isWhole(stateDir: string, part: ReleasePart): Promise<boolean> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(partPath(stateDir, part))) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return bytes === part.bytes && hash.digest('hex') === part.sha256
}

/** Throws DISK_FULL, with what is needed, where the parts and what is made of them have no place. */
export async function checkSpace(stateDir: string, parts: readonly ReleasePart[]): Promise<void> {
  const folder = partsFolder(stateDir)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const here = await bytesHere(stateDir)
  const needed = parts.reduce(
    (sum, part) => sum + part.bytes * (1 + unpacked[part.component]) - Math.min(here[part.sha256] ?? 0, part.bytes),
    reserveBytes,
  )
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= needed) return
  const mb = (bytes: number) => Math.ceil(bytes / 1_048_576)
  throw new MarshlightError('UPDATE_NO_SPACE', { path: folder, needed: mb(needed), free: mb(bavail * bsize) })
}

/** Parts that no release of `kept` names go. */
export async function removeParts(disk: Disk, stateDir: string, kept: readonly ReleasePart[]): Promise<void> {
  const folder = partsFolder(stateDir)
  for (const name of await readdir(folder).catch(() => []))
    if (!kept.some(({ sha256 }) => name.startsWith(sha256))) await disk.remove(join(folder, name))
}
