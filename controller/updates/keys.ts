import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import { type PublicKey, parsePublicKey } from '../../shared/minisign.ts'

export const keysIn = (dataDir: string): string => join(dataDir, 'release-keys')

/** The public keys `release-keys/*.pub` of the controller's folder. Throws KEY_DAMAGED for a file that holds none. */
export async function readKeys(dataDir: string): Promise<PublicKey[]> {
  const folder = keysIn(dataDir)
  const names = await readdir(folder).catch((error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  })
  const keys: PublicKey[] = []
  for (const name of names.filter((one) => one.endsWith('.pub')).sort()) {
    const path = join(folder, name)
    const key = parsePublicKey(await readFile(path, 'utf8'))
    if (!key) throw new MarshlightError('KEY_DAMAGED', { path, why: 'it is no public key of minisign' })
    keys.push(key)
  }
  return keys
}

/** Releases signed by this key are taken from now on. Boxes ask their own key, which came with them. Throws USAGE. */
export async function trustKey(dataDir: string, text: string, { dryRun = false } = {}): Promise<PublicKey> {
  const key = parsePublicKey(text)
  if (!key)
    throw new MarshlightError('USAGE', {
      what: 'the file holds no public key of minisign',
      command: 'marshlight updates trust',
    })
  if (!dryRun) await writeFileAtomic(join(keysIn(dataDir), `${key.id}.pub`), `${text.trim()}\n`, 0o644)
  return key
}
