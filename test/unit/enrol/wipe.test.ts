import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { exitCodeOf } from '../../../agent/cli/print.ts'
import { finishWipe, finishWipeInTime, keepOrder, startAnew, wipeAndStartAnew } from '../../../agent/cli/wipe.ts'
import { saveIdentity } from '../../../agent/enrol/identity.ts'
import { keyPath, loadIdentity, readStoredIdentity, readWiped, serialOf } from '../../../agent/enrol/index.ts'
import { systemClock } from '../../../shared/clock.ts'
import { writeFileAtomic } from '../../../shared/files.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { makeTestPki } from '../../integration/agent-test-pki.ts'
import { tempFolder } from '../spool/records.ts'

const pki = await makeTestPki()

/** The state folder of an agent whose engine does not answer until `engine.answers`. */
async function box(t: Test) {
  const stateDir = await tempFolder(t)
  await writeFile(join(stateDir, 'agent.json'), '{}')
  const enrol = async () => {
    const agent = newId()
    const pair = await pki.agentPair(agent)
    await writeFileAtomic(join(stateDir, 'identity/key.pem'), pair.key)
    const known = { ca: pki.ca, mqtt: { host: '127.0.0.1', port: 1 }, signingKey: pki.signingPem }
    await saveIdentity(stateDir, {
      v: 1,
      agent,
      name: 'pi',
      roles: ['decoys'],
      certificate: pair.certificate,
      ...known,
    })
    return loadIdentity(stateDir)
  }
  const identity = await enrol()
  for (const folder of ['spool', 'documents', 'decoys']) {
    await mkdir(join(stateDir, folder))
    await writeFile(join(stateDir, folder, 'secret'), 'x')
  }
  const at = new Date().toISOString()
  const order = {
    kind: 'wipe' as const,
    agent: identity.agent,
    serial: serialOf(identity.certificate),
    issuedAt: at,
    expiresAt: at,
    reason: 'revoked: stolen',
  }
  const engine = { answers: false, removed: [] as string[] }
  const steps = async (_deps: object, of: { agent: string; roles: string[] }) => [
    {
      what: 'containers',
      async run() {
        if (!engine.answers) throw new Error('no answer')
        engine.removed.push(of.agent)
      },
    },
  ]
  const deps = { stateDir, clock: systemClock, random: systemRandom, log: silentLog, steps }
  return { stateDir, identity, order, enrol, deps, engine }
}

t.test('secrets go even while the engine does not answer; the rest is tried again until it is done', async (t) => {
  const { stateDir, identity, order, deps, engine } = await box(t)
  await keepOrder(order, identity, stateDir)
  t.ok((await loadIdentity(stateDir)).key, 'kept first: nothing is gone yet')
  await finishWipe(deps)
  t.same((await readdir(stateDir)).sort(), ['agent.json', 'wiped.json'])
  t.match(await readWiped(stateDir), { done: false, reason: 'revoked: stolen', agent: identity.agent })
  await t.rejects(loadIdentity(stateDir), { code: 'WIPED', message: /revoked: stolen/ })
  const exitCode = () => loadIdentity(stateDir).catch(exitCodeOf)
  t.equal(await exitCode(), 1, 'started again, since containers are left')
  engine.answers = true
  await finishWipe(deps)
  t.match(await readWiped(stateDir), { done: true })
  await finishWipe(deps)
  t.same(engine.removed, [identity.agent], 'once')
  t.equal(await exitCode(), 3, 'not started again')
})

t.test('an engine that starts along with the box is waited for, and not for ever', async (t) => {
  const { stateDir, identity, order, deps, engine } = await box(t)
  const { signal } = new AbortController()
  let slept = 0
  const sleep = async () => {
    slept++
    engine.answers = engine.answers || slept === 10
  }
  const inTime = () => finishWipeInTime({ ...deps, signal, clock: { ...deps.clock, sleep } })
  await inTime()
  t.equal(slept, 0, 'nothing was ordered')
  await keepOrder(order, identity, stateDir)
  await inTime()
  t.equal(slept, 7)
  t.match(await readWiped(stateDir), { done: false })
  await inTime()
  t.equal(slept, 10)
  t.match(await readWiped(stateDir), { done: true })
  t.same(engine.removed, [identity.agent])
})

t.test('a box that enrolled anew is not wiped by the order of before', async (t) => {
  const { stateDir, identity, order, enrol, deps } = await box(t)
  await keepOrder(order, identity, stateDir)
  await finishWipe(deps)
  const anew = await enrol()
  const path = keyPath(stateDir)
  const key = await readFile(path)
  await writeFile(path, '{}')
  await finishWipe(deps)
  await writeFile(path, key)
  t.ok(await readStoredIdentity(stateDir), 'nor while its key does not open')
  t.equal((await loadIdentity(stateDir)).certificate, anew.certificate)
  t.equal(await readWiped(stateDir), undefined)
})

t.test(
  'on an image SSH goes with the rest, even while the engine does not answer, and then the box starts anew',
  async (t) => {
    const { stateDir, identity, order, deps, engine } = await box(t)
    const root = await tempFolder(t)
    for (const name of ['host_ed25519', 'host_ed25519.pub', 'authorized_keys'])
      await writeFileAtomic(join(root, 'data/ssh', name), 'x')
    const asked: string[] = []
    const command = async (...words: string[]) => void asked.push(words.join(' '))
    const ofImage = { ...deps, root, command }
    await startAnew(ofImage)
    t.same(asked, [], 'no image')
    for (const unit of ['ssh', 'first-boot'])
      await writeFileAtomic(join(root, `usr/lib/systemd/system/marshlight-${unit}.service`), '')
    await keepOrder(order, identity, stateDir)
    await wipeAndStartAnew(ofImage)
    t.match(await readWiped(stateDir), { done: false }, 'containers are left: for first-boot, which tends the screen')
    t.same(await readdir(join(root, 'data/ssh')), [])
    engine.answers = true
    t.ok(await finishWipe(ofImage))
    await startAnew(ofImage)
    const stop = 'systemctl stop marshlight-ssh.service'
    const reboot = 'systemctl --no-block reboot'
    t.same(asked, [stop, reboot, stop, reboot])
    t.notOk(await finishWipe(ofImage), 'once')
  },
)
