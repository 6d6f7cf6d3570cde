import fs, { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { finishWipe } from '../../../agent/cli/wipe.ts'
import {
  besides,
  type Identity,
  identityPath,
  keyPath,
  lostKey,
  saveIdentity,
  setAside,
} from '../../../agent/enrol/identity.ts'
import { saveWiped, serialOf } from '../../../agent/enrol/index.ts'
import { moveBack } from '../../../agent/enrol/moved-back.ts'
import { keyText } from '../../../agent/enrol/sealed-key.ts'
import type { Tpm } from '../../../agent/enrol/tpm.ts'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../../shared/files.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { makeTestPki } from '../../integration/agent-test-pki.ts'
import { tempFolder } from '../spool/records.ts'

const pki = await makeTestPki()

/** Opens what it sealed itself. */
function tpmOf(name: string): Tpm {
  return {
    seal: async (secret) => ({ public: Buffer.from(name).toString('base64'), private: secret.toString('base64') }),
    unseal: async (sealed) => {
      if (Buffer.from(sealed.public, 'base64').toString() === name) return Buffer.from(sealed.private, 'base64')
      throw new MarshlightError('KEY_SEALED_ELSEWHERE', { why: 'another TPM' })
    },
  }
}
const own = tpmOf('this box')
const found = async () => own

/** A box that enrolled, by a key that `tpm` seals; `keyFile` where it was renewed since. */
async function enrol(stateDir: string, tpm: Tpm, keyFile?: string) {
  const agent = newId()
  const { certificate, key } = await pki.agentPair(agent)
  await writeFileAtomic(keyPath(stateDir, keyFile), await keyText(key, undefined, tpm))
  const known = { ca: pki.ca, mqtt: { host: '127.0.0.1', port: 1 }, signingKey: pki.signingPem }
  const identity = { v: 1 as const, agent, name: 'pi', roles: ['decoys' as const], certificate, ...known }
  await saveIdentity(stateDir, { ...identity, ...(keyFile !== undefined && { keyFile }) })
  return { ...identity, key } satisfies Identity
}
const names = async (stateDir: string) => (await readdir(join(stateDir, 'identity'))).sort()

/** Power goes before the `n`th change of a name in `work`. Gives whether it came to that. */
async function cut(n: number, work: () => Promise<unknown>): Promise<boolean> {
  const real = { rename: fs.rename, link: fs.link, rm: fs.rm }
  let changes = 0
  const cutting = Object.entries(real).map(([name, change]) => [
    name,
    async (...given: never[]) => {
      if (++changes >= n) throw new Error('power')
      return (change as (...all: never[]) => Promise<void>)(...given)
    },
  ])
  Object.assign(fs, Object.fromEntries(cutting))
  syncBuiltinESMExports()
  const failed = await work().then(
    () => false,
    (error: Error) => error.message === 'power',
  )
  Object.assign(fs, real)
  syncBuiltinESMExports()
  return failed
}

t.test('an identity whose key opens again is moved back, with claim and site, wherever power went', async (t) => {
  const cases = [
    { own: 'key.pem', left: [], beside: 'own' },
    { own: 'key-ab.pem', left: ['request.pem'], beside: undefined },
    // Power went in a renewal, between the new key file and the end of the old one.
    { own: 'key-ab.pem', left: ['key.pem', 'request.pem', 'renewal.json'], beside: 'own' },
    { own: 'key.pem', left: ['key-ab.pem', 'request.pem', 'renewal.json'], beside: 'own' },
  ]
  for (const { own: key, left, beside } of cases)
    for (let n = 1, isCut = true; isCut; n++) {
      const stateDir = await tempFolder(t)
      const what = `${key}, ${left}, at ${n}`
      const { agent } = await enrol(stateDir, own, key === 'key.pem' ? undefined : key)
      for (const name of left) await writeFile(keyPath(stateDir, name), 'x')
      for (const name of besides) if (beside) await writeFile(join(stateDir, name), beside)
      isCut = await cut(n, () => setAside(stateDir, 'this box shows no TPM'))
      if ((await names(stateDir)).includes('identity.json')) await setAside(stateDir, 'this box shows no TPM')
      t.match(await lostKey(stateDir), { code: 'KEY_SEALED_ELSEWHERE' }, what)
      t.equal(await moveBack(stateDir, async () => undefined), undefined, 'there is no TPM yet')
      t.notOk((await names(stateDir)).includes(key), 'nothing writes over its key')
      for (const name of besides) await writeFile(join(stateDir, name), 'another file’s')
      const isCutBack = await cut(n, () => moveBack(stateDir, found))
      isCut ||= isCutBack
      const back = await moveBack(stateDir, found)
      t.ok(isCutBack || back === undefined, what)
      t.equal(JSON.parse(await readFile(identityPath(stateDir), 'utf8')).agent, agent, what)
      t.ok((await names(stateDir)).includes(key), what)
      if (!isCutBack) {
        const expected = ['identity.json', key, ...left.filter((name) => !name.startsWith('key'))]
        t.same(await names(stateDir), expected.sort(), `${what}: nothing is left aside`)
      }
      for (const name of besides) t.equal(await readIfThere(join(stateDir, name)), beside, `${name}: ${what}`)
    }
})

t.test('what does not open stays aside; what is newer is never replaced', async (t) => {
  const stateDir = await tempFolder(t)
  t.equal(await moveBack(stateDir, found), undefined, 'a box that never was anybody’s')
  const isAside = async (t: Test, why: string) => {
    const before = await names(stateDir)
    t.equal(await moveBack(stateDir, found), undefined, why)
    t.same(await names(stateDir), before, why)
  }
  await enrol(stateDir, own)
  await setAside(stateDir, 'this box shows no TPM')
  const newer = await enrol(stateDir, tpmOf('another box'))
  await isAside(t, 'an identity is there')
  await setAside(stateDir, 'this box’s TPM does not know it')
  await isAside(t, 'only the newest, which does not open')
  await rm(`${identityPath(stateDir)}.sealed-elsewhere-2`)
  await writeFile(keyPath(stateDir), newer.key)
  await isAside(t, 'an enrolment was begun since')
  await rm(keyPath(stateDir))
  await writeFile(`${keyPath(stateDir)}.sealed-elsewhere`, newer.key)
  await isAside(t, 'a key of another certificate')
})

t.test('a wipe removes what was set aside, too', async (t) => {
  const stateDir = await tempFolder(t)
  const { agent, name, roles, certificate } = await enrol(stateDir, own)
  const at = '2026-01-01T00:00:00Z'
  await saveWiped(stateDir, { v: 1, agent, name, roles, serial: serialOf(certificate), at, reason: 'x', done: false })
  await setAside(stateDir, 'this box shows no TPM')
  await finishWipe({ stateDir, clock: systemClock, random: systemRandom, log: silentLog, steps: async () => [] })
  t.same(await readdir(stateDir), ['wiped.json'])
  t.equal(await moveBack(stateDir, found), undefined)
})
