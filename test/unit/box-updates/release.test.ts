import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readKeys } from '../../../agent/updates/keys.ts'
import { type Box, judge } from '../../../agent/updates/release.ts'
import { makeKeys, signText } from '../../../shared/minisign.ts'
import { tempFolder } from '../spool/records.ts'
import { arch, keys, makeRelease, publicKey } from './box.ts'

const other = arch === 'amd64' ? 'arm64' : 'amd64'
const content = Buffer.from('x')
const box: Box = {
  ...{ keys: [publicKey], running: { arch, agent: '1.0.0', decoys: 'shipped' }, highest: 5 },
  ...{ hasLauncher: true, hasSlots: false, keepsDecoys: true },
}
const agentPart = { component: 'agent', file: 'a.deb', content } as const
const release = (sequence = 6, ...more: Parameters<typeof makeRelease>[2]) =>
  makeRelease('2.0.0', sequence, [agentPart, ...more])
const offer = (of: { manifest: string; signature: string }, allowOlder = false) => ({ ...of, allowOlder })

t.test('a box takes what is signed, newer and meant for it, and leaves out what it has or cannot take', async (t) => {
  const { parts, leftOut } = judge(
    offer(
      release(
        6,
        { component: 'decoys', file: 'd.tar', content },
        { component: 'system', file: 's', content },
        { component: 'agent', file: 'b.deb', content, arch: other },
      ),
    ),
    box,
  )
  t.strictSame(
    parts.map(({ component, arch: of }) => `${component} ${of}`),
    [`agent ${arch}`, `decoys ${arch}`],
  )
  t.match(leftOut, [/^system 2\.0\.0: .* no two slots/])
  const none = judge(offer(release()), { ...box, running: { arch, agent: '2.0.0' }, hasLauncher: false })
  t.strictSame(none.parts, [], 'what it runs already needs no launcher')
  t.equal(judge(offer(release(5)), box).parts.length, 1, 'the one it runs is no older one')
  t.equal(judge(offer(release(4), true), box).parts.length, 1, 'an older one, where it is allowed')
})

t.test('each reason against a release is told by its code', async (t) => {
  const good = release()
  const foreign = makeKeys()
  const signedBy = (privatePem: string, manifest: string) => ({
    manifest,
    signature: signText(manifest, privatePem, ''),
  })
  const own = (manifest: string) => signedBy(keys.privatePem, manifest)
  const cases: [code: string, ...Parameters<typeof judge>][] = [
    ['UPDATE_KEY_MISSING', offer(good), { ...box, keys: [] }],
    ['RELEASE_UNSIGNED', offer(signedBy(foreign.privatePem, good.manifest)), box],
    ['RELEASE_UNSIGNED', offer({ ...good, manifest: `${good.manifest} ` }), box],
    ['RELEASE_UNSIGNED', offer({ ...good, signature: '' }), box],
    ['RELEASE_DAMAGED', offer(own('{}')), box],
    ['RELEASE_DAMAGED', offer(own('x')), box],
    ['RELEASE_DAMAGED', offer(release(6, { ...agentPart, file: 'other.deb' })), box],
    ['RELEASE_DAMAGED', offer(own(good.manifest.replace('a.deb', '../a.deb'))), box],
    ['UPDATE_UNUSABLE', offer(makeRelease('trial', 6, [agentPart])), box],
    ['UPDATE_OLDER', offer(release(4)), box],
    ['UPDATE_WRONG_ARCH', offer(makeRelease('2.0.0', 6, [{ ...agentPart, arch: other }])), box],
    ['UPDATE_NO_LAUNCHER', offer(good), { ...box, hasLauncher: false }],
  ]
  for (const [code, offered, at] of cases) t.throws(() => judge(offered, at), { code }, code)
})

t.test('keys are of all folders; what is none is left out and told', async (t) => {
  const folder = await tempFolder(t)
  await mkdir(join(folder, 'b'))
  const second = makeKeys()
  await writeFile(join(folder, 'a.pub'), keys.publicText)
  await writeFile(join(folder, 'b/key.pub'), second.publicText)
  await writeFile(join(folder, 'b/private.pub'), second.privatePem)
  await writeFile(join(folder, 'b/other.txt'), second.publicText)
  const told: object[] = []
  const found = await readKeys([folder, join(folder, 'b'), join(folder, 'none')], {
    warn: (of: object) => void told.push(of),
  } as never)
  t.strictSame(found.map(({ id }) => id).sort(), [keys.id, second.id].sort())
  t.strictSame(told, [{ path: join(folder, 'b/private.pub') }])
})
