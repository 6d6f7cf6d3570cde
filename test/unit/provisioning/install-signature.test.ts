import { execFile } from 'node:child_process'
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { makeKeyFiles, signBeside } from '../../../provisioning/image/signing-files.ts'

const execute = promisify(execFile)
const run = (file: string, args: string[]) =>
  execute(file, args, { env: { ...process.env, no_proxy: '127.0.0.1', NO_PROXY: '127.0.0.1' } })
const script = join(import.meta.dirname, '../../../provisioning/install.sh')
const verify = (...args: string[]) => run('sh', [script, '--verify', ...args])

t.test('the installer tells by openssl alone what was signed from what was not', async (t) => {
  const folder = t.testdir({ 'agent_1.deb': 'content of a package\n', 'cut.deb': 'content of', images: {} })
  const at = (name: string) => join(folder, name)
  const deb = at('agent_1.deb')
  await makeKeyFiles(at('release.key'))
  await makeKeyFiles(at('other.key'))
  await signBeside(deb, at('release.key'))
  const key = at('release.key.pub')
  const refused = (code: number, why: RegExp, ...args: string[]) =>
    t.rejects(verify(...args), { code, stderr: why, stdout: /^$/ })

  t.match((await verify('--deb', deb, '--pubkey', key)).stdout, /agent_1\.deb is what the key’s owner signed/)
  writeFileSync(at('line.pub'), readFileSync(key, 'utf8').split('\n')[1] ?? '')
  await verify('--deb', deb, '--pubkey', at('line.pub'))

  await refused(2, /--verify wants --pubkey/, '--deb', deb)
  await refused(1, /signed by another key/, '--deb', deb, '--pubkey', at('other.key.pub'))
  await refused(1, /no public key of minisign/, '--deb', deb, '--pubkey', at('release.key'))
  await refused(1, /there is no .*cut\.deb\.minisig/, '--deb', at('cut.deb'), '--pubkey', key)
  const beside = ['--pubkey', key, '--signature', `${deb}.minisig`]
  await refused(1, /content is not what was signed/, '--deb', at('cut.deb'), ...beside)

  copyFileSync(deb, at('agent_2.deb'))
  await refused(1, /what was signed is called agent_1\.deb/, '--deb', at('agent_2.deb'), ...beside)
  const text = readFileSync(`${deb}.minisig`, 'utf8')
  writeFileSync(at('agent_2.deb.minisig'), text.replace('file:agent_1', 'file:agent_2'))
  await refused(1, /signature was altered/, '--deb', at('agent_2.deb'), '--pubkey', key)
  writeFileSync(at('agent_2.deb.minisig'), text.slice(0, 150))
  await refused(1, /no signature of minisign/, '--deb', at('agent_2.deb'), '--pubkey', key)
  appendFileSync(deb, ' ')
  await refused(1, /content is not what was signed/, '--deb', deb, '--pubkey', key)
})

t.test('what minisign itself signed is taken', async (t) => {
  // Made by minisign 0.11: `minisign -G -W`, `minisign -S -t file:agent.deb`.
  const folder = t.testdir({
    'agent.deb': 'content of a package\n',
    'agent.deb.minisig': `untrusted comment: signature from minisign secret key
RUQQ6LtddLaWhgJpjADwSw2npsp/EAXjM+DrtRVFOxv94seol7ZSMzKB+SVxagpw3qjoC38iRSN7GT2zmAsay3IjNOWB+F5ZHAU=
trusted comment: file:agent.deb
ZW7PM7n/LFzAMNfhXL1EnEpF9HkgMtQs5vRa+wjcCZUuvEBuyKnveCeDUubVzvaVuilT2y1VX5skQOSAeD5rDA==
`,
    'key.pub': 'untrusted comment: a key\nRWQQ6LtddLaWhs+fqcwXUs9ifwzxAY2I6heYdP5ROjg+fTnlO17C6EhE\n',
  })
  const { stdout } = await verify('--deb', join(folder, 'agent.deb'), '--pubkey', join(folder, 'key.pub'))
  t.match(stdout, /agent\.deb is what/)
})

t.test('a package from the network is taken only with a key, and as it was signed', async (t) => {
  const folder = t.testdir({ 'agent_1.deb': 'content of a package\n' })
  const key = join(folder, 'release.key')
  await makeKeyFiles(key)
  await signBeside(join(folder, 'agent_1.deb'), key)
  let spoil = ''
  const server = createServer((request, response) => {
    const name = basename(request.url ?? '')
    try {
      response.end(readFileSync(join(folder, name), 'utf8') + (name.endsWith('.deb') ? spoil : ''))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pubkey = ['--pubkey', `${key}.pub`]

  t.match((await verify('--deb', `${from}/agent_1.deb`, ...pubkey)).stdout, /agent_1\.deb is what/)
  const refused = (why: RegExp, ...args: string[]) => t.rejects(run('sh', [script, ...args]), { code: 1, stderr: why })
  await refused(/only with --pubkey/, '--deb', `${from}/agent_1.deb`)
  await refused(/was not fetched/, '--deb', `${from}/agent_2.deb`, ...pubkey)
  await refused(/names no file/, '--deb', `${from}/`, ...pubkey)
  spoil = 'more'
  await refused(/content is not what was signed/, '--deb', `${from}/agent_1.deb`, ...pubkey)
})
