import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { realDisk } from '../../../agent/updates/disk.ts'
import { installAgent } from '../../../agent/updates/install-agent.ts'
import { tempFolder } from '../spool/records.ts'
import { arch, makeBox } from './box.ts'

async function world(t: Parameters<typeof tempFolder>[0], version: string) {
  const box = await makeBox(await tempFolder(t))
  const root = join(box.folder, 'root')
  await mkdir(join(root, 'DEBIAN'), { recursive: true })
  await box.fillVersion(join(root, 'usr/lib/marshlight-agent'), version)
  const control = {
    Package: 'marshlight-agent',
    Version: version,
    Architecture: arch,
    Maintainer: 'x <x@x>',
    Description: 'x',
  }
  await writeFile(
    join(root, 'DEBIAN/control'),
    `${Object.entries(control)
      .map((pair) => pair.join(': '))
      .join('\n')}\n`,
  )
  const [deb, tar] = [join(box.folder, 'a.deb'), join(box.folder, 'a.tar')]
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '-b', root, deb])
  execFileSync('tar', ['-cf', tar, '-C', join(root, 'usr/lib/marshlight-agent'), '.'])
  const install = (file: string, o: { sha256?: string; version?: string; inUse?: string[] } = {}) =>
    installAgent({
      part: {
        ...{ component: 'agent', arch, version: o.version ?? version, bytes: 1, sha256: o.sha256 ?? 'a'.repeat(64) },
        file: file.endsWith('.deb') ? 'a.deb' : 'a.tar',
      },
      ...{ disk: realDisk, stateDir: box.stateDir, file, inUse: o.inUse ?? [] },
    })
  return { ...box, deb, tar, install, content: () => readdir(join(box.versions, version)) }
}

const program = ['agent.mjs', 'node', 'node-settings.sh', 'part.sha256']

t.test(
  'a version comes out of the Debian package, or out of an archive of its folder; nothing else stays',
  async (t) => {
    for (const kind of ['deb', 'tar'] as const) {
      const box = await world(t, '2.0.0')
      await box.install(box[kind])
      t.strictSame((await box.content()).sort(), program, kind)
      t.strictSame(await readdir(box.versions), ['2.0.0'])
      await box.install('/nonexistent')
      t.pass('the same part is not unpacked twice')
    }
  },
)

t.test('another build of the same version replaces it only where it is not in use', async (t) => {
  const box = await world(t, '2.0.0')
  await box.install(box.tar)
  const other = { sha256: 'b'.repeat(64) }
  await t.rejects(box.install(box.tar, { ...other, inUse: ['2.0.0'] }), { code: 'UPDATE_UNUSABLE', message: /in use/ })
  await box.install(box.tar, other)
  t.equal(await readFile(join(box.versions, '2.0.0/part.sha256'), 'utf8'), `${other.sha256}\n`)
})

t.test('what is cut off, holds no agent, or is another version is told, and never stands under the name', async (t) => {
  const box = await world(t, '2.0.0')
  await t.rejects(box.install(box.deb, { version: '2.0.1' }), {
    code: 'UPDATE_UNUSABLE',
    message: /says of itself: 2\.0\.0/,
  })
  await truncate(box.deb, 300)
  await t.rejects(box.install(box.deb), { code: 'UPDATE_UNUSABLE', message: /cannot be unpacked/ })
  execFileSync('tar', ['-cf', box.tar, '-C', box.folder, 'root/DEBIAN'])
  await t.rejects(box.install(box.tar), { code: 'UPDATE_UNUSABLE', message: /no agent\.mjs/ })
  t.strictSame(
    (await readdir(box.versions)).filter((name) => !name.startsWith('.')),
    [],
  )
})
