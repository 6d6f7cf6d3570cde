import { link, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, syncFolder } from '../../shared/files.ts'
import { asideEnd, isOwnCertificate, keyFiles, renameIfThere, type StoredIdentity, stored } from './identity.ts'
import { keyIn } from './sealed-key.ts'
import type { Tpm } from './tpm.ts'

const file = 'identity.json'

/**
 * Moves back what was set aside for want of its TPM, where its key opens now: a TPM that the kernel shows late, or that
 * was switched off for a while, costs a box its identity only until the next start. Gives the identity, where it did.
 *
 *   identity.json absent, no key of an enrolment begun since, the newest set aside opens -> `before`
 *     -> key and what goes with it -> identity.json, by a link: one that came meanwhile stays -> the copy removed
 *
 * Power may go at any point: the identity is the last that comes back, and its key is looked for in both places. Of
 * several that were set aside only the newest is the box's: those before it were replaced by it.
 */
export async function moveBack(
  stateDir: string,
  o: { find?: () => Promise<Tpm | undefined>; before?: () => Promise<void> } = {},
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
  const key = await keyIn(text, o.find).catch((error: { code?: string }) => {
    if (error.code === 'KEY_SEALED_ELSEWHERE') return undefined
    throw error
  })
  if (key === undefined || !isOwnCertificate(identity.certificate, { ...identity, key })) return undefined
  await o.before?.()
  for (const name of names)
    if (name.endsWith(end) && name !== `${file}${end}`)
      await renameIfThere(join(folder, name), join(folder, name.slice(0, -end.length)))
  await syncFolder(folder)
  await link(join(folder, `${file}${end}`), join(folder, file))
  await syncFolder(folder)
  await rm(join(folder, `${file}${end}`), { force: true })
  return identity
}

/** How the files of what was set aside last end: with a number, where it was not the first. */
function newestEnd(names: readonly string[]): string | undefined {
  const ends = names.filter((name) => name.startsWith(`${file}${asideEnd}`)).map((name) => name.slice(file.length))
  const count = (end: string) => Number(end.slice(asideEnd.length + 1) || 1)
  return ends.sort((a, b) => count(b) - count(a))[0]
}
