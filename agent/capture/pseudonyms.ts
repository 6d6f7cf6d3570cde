import { createHmac, randomBytes } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'

const keyFile = 'pseudonym.key'
const keyForm = /^[0-9a-f]{64}$/
const mostKnown = 8192

/**
 * Names for addresses: the same address has the same name for as long as this agent lives, and who has not its key learns
 * no address from it. The key never leaves the folder. One that is damaged is made anew: names change then.
 */
export async function openPseudonyms(folder: string): Promise<(address: number) => string> {
  const path = join(folder, keyFile)
  let key = (await readIfThere(path))?.trim()
  if (key === undefined || !keyForm.test(key)) {
    key = randomBytes(32).toString('hex')
    await writeFileAtomic(path, `${key}\n`)
  }
  await chmod(path, 0o600)
  return makePseudonyms(Buffer.from(key, 'hex'))
}

export function makePseudonyms(key: Buffer): (address: number) => string {
  const known = new Map<number, string>()
  return (address) => {
    const name = known.get(address)
    if (name !== undefined) return name
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(address)
    const made = createHmac('sha256', key).update(bytes).digest('hex').slice(0, 12)
    if (known.size >= mostKnown) known.clear()
    known.set(address, made)
    return made
  }
}
