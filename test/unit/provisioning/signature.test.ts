import { execFile } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { signMade } from '../../../provisioning/image/commands/build.ts'
import { makeKeyFiles, signBeside, verifyBeside } from '../../../provisioning/image/signing-files.ts'

const run = promisify(execFile)
const command = join(import.meta.dirname, '../../../bin/marshlight')

t.test('what was signed is told from what was altered, cut, renamed or signed by another', async (t) => {
  const folder = t.testdir({ 'agent.deb': 'content of a package\n', 'cut.deb': 'content of' })
  const at = (name: string) => join(folder, name)
  await makeKeyFiles(at('release.key'))
  await makeKeyFiles(at('other.key'))
  await signBeside(at('agent.deb'), at('release.key'))

  type Case = { file?: string; key?: string; signature?: string }
  const verify = ({ file = 'agent.deb', key = 'release.key.pub', signature }: Case) =>
    verifyBeside(at(file), { publicKey: at(key), ...(signature !== undefined && { signature: at(signature) }) })
  const refused = (message: RegExp, one: Case) => t.rejects(verify(one), { message })
  const itsOwn = 'agent.deb.minisig'

  t.match(await verify({}), { comment: 'file:agent.deb', key: /^[0-9A-F]{16}$/ })
  await refused(/signed by key [0-9A-F]{16}, not by/, { key: 'other.key.pub' })
  await refused(/no public key of minisign/, { key: 'release.key' })
  await refused(/there is no .*cut\.deb\.minisig/, { file: 'cut.deb' })
  await refused(/its content is not what was signed/, { file: 'cut.deb', signature: itsOwn })
  await refused(/does not exist/, { file: 'none.deb' })
  await t.rejects(makeKeyFiles(at('release.key')), { message: /there already/ })
  await t.rejects(signBeside(at('cut.deb'), at('release.key.pub')), { code: 'KEY_DAMAGED' })

  renameSync(at('agent.deb'), at('older.deb'))
  await refused(/what was signed is called agent\.deb/, { file: 'older.deb', signature: itsOwn })
  const text = readFileSync(at(itsOwn), 'utf8')
  writeFileSync(at('older.deb.minisig'), text.replace('file:agent.deb', 'file:older.deb'))
  await refused(/signature was altered/, { file: 'older.deb' })
  writeFileSync(at('older.deb.minisig'), text.slice(0, 150))
  await refused(/no signature of minisign/, { file: 'older.deb' })
})

/** Made by minisign 0.11: `minisign -G -W`, `minisign -S -t file:agent.deb`. */
const ofMinisign = {
  'agent.deb': 'content of a package\n',
  'agent.deb.minisig': `untrusted comment: signature from minisign secret key
RUQQ6LtddLaWhgJpjADwSw2npsp/EAXjM+DrtRVFOxv94seol7ZSMzKB+SVxagpw3qjoC38iRSN7GT2zmAsay3IjNOWB+F5ZHAU=
trusted comment: file:agent.deb
ZW7PM7n/LFzAMNfhXL1EnEpF9HkgMtQs5vRa+wjcCZUuvEBuyKnveCeDUubVzvaVuilT2y1VX5skQOSAeD5rDA==
`,
  'key.pub': `untrusted comment: minisign public key 8696B6745DBBE810
RWQQ6LtddLaWhs+fqcwXUs9ifwzxAY2I6heYdP5ROjg+fTnlO17C6EhE
`,
}

t.test('the command verifies what minisign signed, and fails with words and a code', async (t) => {
  const folder = t.testdir(ofMinisign)
  const words = ['--json', 'image', 'verify', join(folder, 'agent.deb'), '--pubkey', join(folder, 'key.pub')]
  t.match(JSON.parse((await run(command, words)).stdout), { key: '8696B6745DBBE810', comment: 'file:agent.deb' })
  writeFileSync(join(folder, 'agent.deb'), 'content of a Package\n')
  await t.rejects(run(command, words), { code: 1, stderr: /"code":\s*"IMAGE_ALTERED"/ })
})

t.test('an image that was cut off, altered or renamed is not what was signed', async (t) => {
  const folder = t.testdir({ 'box.img.zst': 'an image '.repeat(100) })
  const [key, file] = [join(folder, 'release.key'), join(folder, 'box.img.zst')]
  await makeKeyFiles(key)
  await signBeside(file, key)
  const verify = (which = file, signature?: string) =>
    verifyBeside(which, { publicKey: `${key}.pub`, ...(signature !== undefined && { signature }) })
  await verify()
  const whole = readFileSync(file)
  for (const bad of [whole.subarray(0, 500), Buffer.concat([whole, whole]), Buffer.from(whole).fill(0, 200, 201)]) {
    writeFileSync(file, bad)
    await t.rejects(verify(), { code: 'IMAGE_ALTERED', message: /its content is not what was signed/ })
  }
  const other = join(folder, 'other.img.zst')
  writeFileSync(other, whole)
  await t.rejects(verify(other, `${file}.minisig`), { message: /what was signed is called box.img.zst/ })
  await t.rejects(verify(other), { code: 'IMAGE_UNSIGNED' })
})

t.test('image, root and SBOM of a build are signed alike, and verified alike', async (t) => {
  const folder = t.testdir({ 'a.img.zst': 'image', 'a.squashfs': 'root', 'a.spdx.json': '{}' })
  const [key, file, system, list] = ['release.key', 'a.img.zst', 'a.squashfs', 'a.spdx.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string]
  await makeKeyFiles(key)
  t.same(
    await signMade({ file, system, sbom: list }, key),
    [file, system, list].map((one) => `${one}.minisig`),
  )
  const verify = () => run(command, ['image', 'verify', list, '--pubkey', `${key}.pub`])
  t.match(await verify(), { stdout: /a\.spdx\.json is what key [0-9A-F]+ signed\./ })
  writeFileSync(list, '{ }')
  await t.rejects(verify(), { code: 1, stderr: /not what was signed/ })
})
