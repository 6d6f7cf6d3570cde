import { randomBytes } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { parseConfig } from '../config.ts'
import { makeAuthority } from './authority.ts'

/**
 * Makes a new controller's folder: config.json (only what differs from the defaults), certificate authority, keys, the
 * token of the remote API. Throws CONFLICT where one is already.
 */
export async function initController(o: {
  dataDir: string
  config: Record<string, unknown>
  now: number
}): Promise<void> {
  const file = join(o.dataDir, 'config.json')
  if ((await readIfThere(file)) !== undefined)
    throw new MarshlightError('CONFLICT', {
      what: `${file} exists already`,
      next: 'Choose another folder with --data.',
    })
  const text = `${JSON.stringify(o.config, null, 2)}\n`
  const config = parseConfig(text, file)
  await mkdir(o.dataDir, { recursive: true })
  await chmod(o.dataDir, 0o700)
  await makeAuthority(o.dataDir, config.publicHost, o.now)
  await writeFileAtomic(join(o.dataDir, 'api-token'), `${randomBytes(32).toString('base64url')}\n`)
  // Last, since its presence says that all the rest is there.
  await writeFileAtomic(file, text)
}
