import { linkSync } from 'node:fs'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { finishWipe } from '../../../agent/cli/wipe.ts'
import { type Identity, identityPath, keyPath, lostKey, saveIdentity, setAside } from '../../../agent/enrol/identity.ts'
import { saveWiped, serialOf } from '../../../agent/enrol/index.ts'
import { moveBack } from '../../../agent/enrol/moved-back.ts'
import { keyText } from '../../../agent/enrol/sealed-key.ts'
import type { Tpm } from '../../../agent/enrol/tpm.ts'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { writeFileAtomic } from '../../../shared/files.ts'
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

t.test('an identity whose key opens again is moved back, wherever power went meanwhile', async (t) => {
  for (const keyFile of [undefined, 'key-ab.pem'])
    for (const cut of ['nowhere', 'before the key went aside', 'after the key is back', 'before the copy is gone']) {
      const stateDir = await tempFolder(t)
      const { agent } = await enrol(stateDir, own, keyFile)
      await setAside(stateDir, 'this box shows no TPM')
      const key = keyPath(stateDir, keyFile)
      if (cut === 'before the key went aside' || cut === 'after the key is back')
        await rename(`${key}.sealed-elsewhere`, key)
      if (cut === 'before the copy is gone') {
        await rename(`${key}.sealed-elsewhere`, key)
        linkSync(`${identityPath(stateDir)}.sealed-elsewhere`, identityPath(stateDir))
      }
      t.equal(await moveBack(stateDir, { find: async () => undefined }), undefined, 'there is no TPM yet')
      const order: string[] = []
      const before = async () => void order.push(...(await names(stateDir)))
      const back = await moveBack(stateDir, { find: found, before })
      t.equal(back?.agent, cut === 'before the copy is gone' ? undefined : agent, cut)
      if (back) t.notOk(order.includes('identity.json'), 'what was begun is forgotten before it is anybody’s')
      const left = cut === 'before the copy is gone' ? ['identity.json.sealed-elsewhere'] : []
      t.same(await names(stateDir), ['identity.json', ...left, keyFile ?? 'key.pem'], cut)
      t.equal(await lostKey(stateDir).then((lost) => lost?.code), left[0] && 'KEY_SEALED_ELSEWHERE')
    }
})

t.test('what does not open stays aside; what is newer is never replaced', async (t) => {
  const stateDir = await tempFolder(t)
  t.equal(await moveBack(stateDir, { find: found }), undefined, 'a box that never was anybody’s')
  const isAside = async (t: Test, why: string) => {
    const before = await names(stateDir)
    t.equal(await moveBack(stateDir, { find: found }), undefined, why)
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
  t.equal(await moveBack(stateDir, { find: found }), undefined)
})
