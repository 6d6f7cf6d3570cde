import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { judgeKey } from '../../../agent/cli/checks/key.ts'
import { certificateRequest, newKey } from '../../../agent/enrol/certificate-request.ts'
import { type Identity, keyPath, loadIdentity, lostKey, saveIdentity } from '../../../agent/enrol/identity.ts'
import { beginRenewal, keepCertificate, loadRenewal, putInForce } from '../../../agent/enrol/kept-renewal.ts'
import { isSealed, keyIn, keyText } from '../../../agent/enrol/sealed-key.ts'
import { newId } from '../../../shared/ids.ts'
import { makeTestPki } from '../../integration/agent-test-pki.ts'
import { tempFolder } from '../spool/records.ts'
import { softwareTpm } from './software-tpm.ts'

t.setTimeout(120_000)
const pki = await makeTestPki()

/** A box that enrolled, by the request that it made. */
async function enrolled(stateDir: string): Promise<Identity> {
  const agent = newId()
  const certificate = await pki.signRequest(await certificateRequest(stateDir), agent)
  const at = { host: 'controller', port: 8883 }
  await saveIdentity(stateDir, {
    ...{ v: 1, agent, name: 'office-1', roles: ['decoys'], certificate, ca: pki.ca, mqtt: at, signingKey: 'none' },
  })
  return loadIdentity(stateDir)
}
const allText = async (stateDir: string) => {
  const folder = join(stateDir, 'identity')
  return (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))).join('\n')
}

t.test('a box with a TPM: its keys lie sealed, open after a restart, and nowhere else', async (t) => {
  const tpm = await softwareTpm(t)
  const stateDir = await tempFolder(t)
  const first = await enrolled(stateDir)
  t.equal(first.sealed, true)
  t.notMatch(await allText(stateDir), /PRIVATE KEY/)
  t.strictSame(judgeKey(true, true).next, undefined)

  const asked = await beginRenewal(stateDir)
  const certificate = await pki.signRequest(asked.csr, first.agent)
  await keepCertificate(stateDir, asked, certificate)
  t.notMatch(await allText(stateDir), /PRIVATE KEY/, 'nor does the key of a renewal that is under way')
  await tpm.restart()
  const under = await loadRenewal(stateDir, await loadIdentity(stateDir))
  t.strictSame(under, { ...asked, certificate })
  const renewed = await putInForce(stateDir, { ...first, certificate, key: asked.key })
  t.match(await loadIdentity(stateDir), { key: asked.key, sealed: true, keyFile: renewed.keyFile })
  t.notMatch(await allText(stateDir), /PRIVATE KEY/)

  await tpm.another()
  await t.rejects(loadIdentity(stateDir), { code: 'KEY_SEALED_ELSEWHERE', next: /agents replace/ })
  await t.rejects(loadIdentity(stateDir), { code: 'NOT_ENROLLED' }, 'it was set aside: nothing runs into it again')
  t.match(await lostKey(stateDir), { code: 'KEY_SEALED_ELSEWHERE' }, 'and the doctor still knows why')
  const names = (await readdir(join(stateDir, 'identity'))).filter((name) => name.endsWith('.sealed-elsewhere'))
  t.equal(names.length, 2, 'identity and key are kept')
  const again = await enrolled(stateDir)
  await beginRenewal(stateDir)
  await writeFile(keyPath(stateDir), '{}')
  await Promise.allSettled([loadIdentity(stateDir), loadIdentity(stateDir)])
  const left = (await readdir(join(stateDir, 'identity'))).sort()
  const second = ['identity.json', 'key.pem', 'renewal.json', 'request.pem'].map((one) => `${one}.sealed-elsewhere-2`)
  t.same(left, [...names, ...second].sort(), 'the same once more, by two programs at once: both are kept')
  t.equal(again.sealed, true)
  t.ok(new X509Certificate(again.certificate).checkPrivateKey(createPrivateKey(again.key)))
})

t.test('a box whose plug is pulled more often than a TPM takes wrong answers still has its key', async (t) => {
  const tpm = await softwareTpm(t)
  const pem = newKey()
  const text = await keyText(pem)
  t.ok(isSealed(text))
  const told = execFileSync('tpm2_getcap', ['properties-variable'], { encoding: 'utf8' })
  const maxTries = Number(/TPM2_PT_MAX_AUTH_FAIL: (0x[0-9A-F]+)/i.exec(told)?.[1])
  t.ok(maxTries > 0 && maxTries < 100, `${maxTries}`)
  for (let pulled = 0; pulled <= maxTries; pulled++) {
    t.equal(await keyIn(text), pem)
    await tpm.cut()
  }
  t.equal(await keyIn(text), pem)
})

t.test('a card in a box without a TPM; a file that was altered; a TPM that does not answer', async (t) => {
  const tpm = await softwareTpm(t)
  const stateDir = await tempFolder(t)
  await enrolled(stateDir)
  const text = await readFile(keyPath(stateDir), 'utf8')
  await tpm.stop()
  await t.rejects(
    keyIn(text, async () => undefined),
    { code: 'KEY_SEALED_ELSEWHERE', message: /shows no TPM/ },
  )
  process.env.TPM2TOOLS_TCTI = 'swtpm:path=/nowhere'
  await t.rejects(loadIdentity(stateDir), { code: 'TPM_FAILED' }, 'that may pass: nothing is set aside')
  await tpm.restart()
  t.equal((await loadIdentity(stateDir)).sealed, true)
  const held = JSON.parse(text)
  for (const name of ['key', 'iv', 'tag'])
    await t.rejects(keyIn(JSON.stringify({ ...held, [name]: Buffer.alloc(12).toString('base64') })), {
      code: 'KEY_SEALED_ELSEWHERE',
    })
  const bent = Buffer.from(held.private, 'base64')
  bent[40] = (bent[40] ?? 0) ^ 1
  await writeFile(keyPath(stateDir), JSON.stringify({ ...held, private: bent.toString('base64') }))
  await t.rejects(loadIdentity(stateDir), { code: 'KEY_SEALED_ELSEWHERE' })
})

t.test('a box without a TPM, and one whose TPM fails, have their key in a file', async (t) => {
  const pem = newKey()
  t.equal(await keyText(pem, undefined, undefined), pem)
  t.equal(await keyIn(pem), pem)
  const failures: unknown[] = []
  const failing = { seal: () => Promise.reject(new Error('locked out')), unseal: () => Promise.reject(new Error()) }
  t.equal(await keyText(pem, (error) => failures.push(error), failing), pem)
  t.match(failures, [/locked out/])

  const stateDir = await tempFolder(t)
  const tools = await tempFolder(t)
  await writeFile(join(tools, 'tpm2_createprimary'), '#!/bin/sh\nexit 3\n', { mode: 0o755 })
  const { PATH } = process.env
  t.teardown(() => {
    process.env.PATH = PATH
    delete process.env.TPM2TOOLS_TCTI
  })
  process.env.PATH = `${tools}:${PATH}`
  process.env.TPM2TOOLS_TCTI = 'device:/nowhere'
  const heard: string[] = []
  const hear = (error: unknown) => void heard.push((error as Error).message)
  await certificateRequest(stateDir, hear)
  await beginRenewal(stateDir, hear)
  t.match(heard, [/tpm2_createprimary\): .*failed/, /failed/], 'a tool that says nothing is told all the same')
  t.equal(isSealed(pem), false)
  t.match(judgeKey(false, true), { ok: true, next: /renewal/ })
  t.strictSame(judgeKey(false, false).next, undefined)
})
