import { access, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { type Bundle, offlinePath, takeBundle } from '../../../agent/updates/offline.ts'
import { partPath, partsFolder } from '../../../agent/updates/parts.ts'
import { tempFolder } from '../spool/records.ts'
import { arch, makeRelease, publicKey } from './box.ts'

const content = Buffer.from('x')
const part = { component: 'agent', file: 'a.deb', content } as const

const bundleOf = ({ manifest, signature }: ReturnType<typeof makeRelease>): Bundle => ({
  text: async (name) => (name === 'manifest.json' ? manifest : signature),
  open: async () => Readable.from([content]),
})
const take = (stateDir: string, release: ReturnType<typeof makeRelease>, highest?: number) =>
  takeBundle({
    ...{ bundle: bundleOf(release), stateDir, keys: [publicKey], arch, rollout: 'r1', highest },
    ...{ allowOlder: false, confirmWithinSeconds: 600, onPart() {} },
  })

t.test('where no agent runs that would say it, an older release and one for other boxes are refused', async (t) => {
  const stateDir = await tempFolder(t)
  await t.rejects(take(stateDir, makeRelease('1.0.0', 4, [part]), 5), { code: 'UPDATE_OLDER' })
  const other = arch === 'amd64' ? 'arm64' : 'amd64'
  const foreign = makeRelease('2.0.0', 6, [{ ...part, arch: other }])
  await t.rejects(take(stateDir, foreign, 5), { code: 'UPDATE_WRONG_ARCH' })
  await t.rejects(access(offlinePath(stateDir)), { code: 'ENOENT' }, 'nothing waits for the agent')
})

t.test('a full disk of the box is not a fault of the stick', async (t) => {
  const stateDir = await tempFolder(t)
  const release = makeRelease('2.0.0', 6, [part])
  const { sha256 } = JSON.parse(release.manifest).parts[0]
  await mkdir(partsFolder(stateDir), { recursive: true })
  await symlink('/dev/full', partPath(stateDir, { sha256 }))
  await t.rejects(take(stateDir, release), {
    code: 'DISK_FULL',
    message: new RegExp(join('parts', sha256)),
    next: /space/,
  })
})
