import { link, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, syncFolder, writeFileAtomic } from '../../shared/files.ts'
import {
  asideEnd,
  besides,
  isOwnCertificate,
  keyFiles,
  renameIfThere,
  type StoredIdentity,
  stored,
} from './identity.ts'
import { keyIn } from './sealed-key.ts'
import type { Tpm } from './tpm.ts'

const file = 'identity.json'

/**
 * Moves back what was set aside for want of its TPM, where its key opens now: a TPM that the kernel shows late, or that
 * was switched off for a while, costs a box its identity only until the next start. Gives the identity, where it did.
 *
 *   identity.json absent, no key of an enrolment begun since, the newest set aside opens
 *     -> claim and site as they were -> its key and what else goes with it
 *     -> identity.json, by a link: one that came meanwhile stays -> what is left aside removed
 *
 * Power may go at any point: the identity is the last that comes back, and its key is looked for in both places; no other
 * key comes back, since it would be taken for that of an enrolment begun since. Of several that were set aside only the
 * newest is the box's: those before it were replaced by it.
 */
export async function moveBack(
  stateDir: string,
  find?: () => Promise<Tpm | undefined>,
): Promise<StoredIdentity | undefined> {
  const folder = join(stateDir, 'identity')
  const names = await readdir(folder).catch((): string[] => [])
  const end = newestEnd(names)
  if (end === undefined || names.includes(file)) return undefined
  const identity = stored.parse(JSON.parse(await readFile(join(folder, `${file}${end}`), 'utf8')))
  const own = identity.keyFile ?? 'key.pem'
  const isAside = names.includes(`${own}${end}`)
  if (names.some((name) => keyFiles.test(name) && (isAside || name !== own))) return undefined
  const text = await readIfThere(join(folder, isAside ? `${own}${end}` : own))
  if (text === undefined) return undefined
  const key = await keyIn(text, find).catch(async (error: { code?: string }) => {
    // Its setting aside was cut off: the next enrolment would write over it.
    if (!isAside) await renameIfThere(join(folder, own), join(folder, `${own}${end}`))
    if (error.code === 'KEY_SEALED_ELSEWHERE') return undefined
    throw error
  })
  if (key === undefined || !isOwnCertificate(identity.certificate, { ...identity, key })) return undefined
  for (const name of besides) {
    const before = await readIfThere(join(folder, `${name}${end}`))
    if (before === undefined) await rm(join(stateDir, name), { force: true })
    else await writeFileAtomic(join(stateDir, name), before)
  }
  for (const name of [own, 'request.pem', 'renewal.json'])
    await renameIfThere(join(folder, `${name}${end}`), join(folder, name))
  await syncFolder(folder)
  await link(join(folder, `${file}${end}`), join(folder, file))
  await syncFolder(folder)
  for (const name of names)
    if (name.endsWith(end) && name !== `${file}${end}`) await rm(join(folder, name), { force: true })
  await rm(join(folder, `${file}${end}`), { force: true })
  return identity
}

/** How the files of what was set aside last end: with a number, where it was not the first. */
function newestEnd(names: readonly string[]): string | undefined {
  const ends = names.filter((name) => name.startsWith(`${file}${asideEnd}`)).map((name) => name.slice(file.length))
  const count = (end: string) => Number(end.slice(asideEnd.length + 1) || 1)
  return ends.sort((a, b) => count(b) - count(a))[0]
}
