import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../shared/log.ts'
import { type PublicKey, parsePublicKey } from '../../shared/minisign.ts'

/** What came with the box or its package. */
export const shippedKeys = '/usr/share/marshlight/release-keys'
/** What root put here since. Nothing that comes over the network writes into either. */
export const ownKeys = (stateDir: string) => join(stateDir, 'release-keys')

const mostKeys = 16
const mostBytes = 4096

/** The release keys of this box, of all `*.pub` in the folders. One that cannot be read is told and left out. */
export async function readKeys(folders: readonly string[], log: Pick<Log, 'warn'>): Promise<PublicKey[]> {
  const keys = new Map<string, PublicKey>()
  for (const folder of folders) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.pub')).sort()
    for (const name of names.slice(0, mostKeys)) {
      const path = join(folder, name)
      const text = await readFile(path, 'latin1').catch(() => '')
      const key = text.length <= mostBytes ? keyOf(text) : undefined
      if (key) keys.set(key.id, key)
      else log.warn({ path }, 'this is no public key of minisign; it is left out')
    }
  }
  return [...keys.values()]
}

function keyOf(text: string): PublicKey | undefined {
  try {
    return parsePublicKey(text)
  } catch {
    return undefined
  }
}
