import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readPublicKey } from '../../../controller/cli/commands/updates-make.ts'
import { makeRelease, readPrivateKey, verifyRelease } from '../../../controller/updates/make.ts'
import { makeKeyFiles } from '../../../provisioning/image/signing-files.ts'
import { tempFolder } from '../spool/records.ts'

t.test('the one key that `image key` makes signs releases, and its public part verifies them', async (t) => {
  const folder = await tempFolder(t)
  const { key, publicKey, id } = await makeKeyFiles(join(folder, 'release.key'))
  const sources = [{ component: 'agent', path: import.meta.filename, version: '1', arch: 'amd64' }] as const
  const about = { version: '1', sequence: 1, createdAt: '2026-01-01T00:00:00.000Z', notes: '' }
  const out = join(folder, 'release')
  await makeRelease({ ...about, sources, key: await readPrivateKey(key), out })
  t.match(await verifyRelease(out, [await readPublicKey(publicKey)]), { key: id })
  t.notMatch(await readFile(publicKey, 'utf8'), /PRIVATE/)
})
