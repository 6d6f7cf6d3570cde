import { createHmac, randomBytes } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, writeFileAtomic, writeFileOnce } from '../../shared/files.ts'
import { canonicalCidr } from '../../shared/network.ts'

const keyFile = 'pseudonym.key'
const keyForm = /^[0-9a-f]{64}$/
const mostKnown = 8192

/** Names for the addresses that are seen in a segment. */
export type Pseudonyms = (cidr: string) => (address: number) => string

/**
 * Names for addresses: in a segment the same address has the same name for as long as this agent lives. Who has not its key
 * learns no address from them, though he try all that there are: it is drawn from 2^256. It never leaves the appliance, and what
 * bears the names is kept by the controller. One that is damaged is made anew: names change then.
 *
 *   key of the appliance (a file that only root reads) -- HMAC of the segment --> key of the segment -- HMAC of the address --> name
 */
export async function openPseudonyms(folder: string): Promise<Pseudonyms> {
  const path = join(folder, keyFile)
  const bytes = Buffer.from((await keyIn(path)) ?? (await madeKey(path)), 'hex')
  await chmod(path, 0o600)
  return (cidr) =>
    makePseudonyms(
      createHmac('sha256', bytes)
        .update(`segment ${canonicalCidr(cidr)}`)
        .digest(),
    )
}

/** Several rooms open it, at the same time as well: all of them take what stands in the file in the end. */
async function madeKey(path: string): Promise<string> {
  const fresh = `${randomBytes(32).toString('hex')}\n`
  await writeFileOnce(path, fresh)
  const key = await keyIn(path)
  if (key !== undefined) return key
  await writeFileAtomic(path, fresh)
  return fresh.trim()
}

async function keyIn(path: string): Promise<string | undefined> {
  const key = (await readIfThere(path))?.trim()
  return key !== undefined && keyForm.test(key) ? key : undefined
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
