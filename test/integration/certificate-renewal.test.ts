import { X509Certificate } from 'node:crypto'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Identity, loadIdentity, renewalDue } from '../../agent/enrol/index.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { clientOptions, connected } from './controller-world.ts'
import { enrolledBefore, renewing, serving } from './enrolment-world.ts'

const dayMs = 86_400_000
t.setTimeout(60_000)

const expiry = ({ certificate }: { certificate: string }) => Date.parse(new X509Certificate(certificate).validTo)
const files = async (stateDir: string) => (await readdir(join(stateDir, 'identity'))).sort()

async function letIn(identity: Identity, port: number): Promise<boolean> {
  try {
    await (await connected(clientOptions(identity, port))).endAsync(true)
    return true
  } catch {
    return false
  }
}

/** A controller, and an agent that enrolled 300 days ago, whose certificate is due. */
async function due(t: Test) {
  const { dataDir, states } = await enrolledBefore(t, 300, ['gate-1'])
  const controller = await serving(t, dataDir)
  const stateDir = states[0] as string
  const old = await loadIdentity(stateDir)
  const shown = () => controller.api.get<Record<string, unknown>>(`/v1/agents/${old.agent}`)
  return { controller, port: controller.ports.mqtt, stateDir, old, shown }
}

t.test('a certificate is due with a quarter to a third of its life left, each at its own time', async (t) => {
  const { states } = await enrolledBefore(t, 0, ['a', 'b', 'c'])
  const dues = new Set<number>()
  for (const state of states) {
    const { certificate } = await loadIdentity(state)
    const leftDays = (expiry({ certificate }) - renewalDue(certificate)) / dayMs
    t.ok(leftDays > 91 && leftDays < 129, `${leftDays} days before it ends`)
    dues.add(renewalDue(certificate))
  }
  t.equal(dues.size, states.length)
})

t.test('the old certificate is good until the new one was used, and no longer', async (t) => {
  const { port, stateDir, old, shown } = await due(t)
  const renewal = await renewing(t, stateDir)
  await renewal.came
  t.match(await shown(), { nextCertificate: { at: String }, renewedAt: null })
  t.ok(await letIn(old, port), 'the old one, while the new one was not used')
  const given = renewal.current()
  t.not(given.key, old.key, 'the key is a new one')
  t.ok(expiry(given) - expiry(old) > 299 * dayMs)
  t.ok(await letIn(given, port))
  t.notOk(await letIn(old, port), 'the old one, once the new one was used')
  await renewal.taken(renewal.current())
  t.strictSame(await loadIdentity(stateDir), { ...given, keyFile: (await loadIdentity(stateDir)).keyFile })
  t.notOk((await files(stateDir)).includes('key.pem'), 'the old key is gone')
  t.match(await shown(), { nextCertificate: null, renewedAt: String, certificateExpires: String })
  t.notOk(renewal.standing().waitsForUse)
})

t.test('a connection that was begun with the old certificate says nothing of the new one', async (t) => {
  const { port, stateDir, old, shown } = await due(t)
  const renewal = await renewing(t, stateDir)
  await renewal.came
  await renewal.taken(old)
  t.not(renewal.current().certificate, old.certificate)
  t.ok(renewal.standing().waitsForUse, 'the new one is still to be used')
  t.ok(await letIn(renewal.current(), port))
  await renewal.taken(renewal.current())
  t.match(await shown(), { renewedAt: String })
})

t.test('power may go at any point of a renewal: the next start goes on from there', async (t) => {
  const { port, stateDir, old } = await due(t)
  const first = await renewing(t, stateDir)
  await first.came
  await first.stop()
  const { key, csr, certificate } = JSON.parse(await readFile(join(stateDir, 'identity/renewal.json'), 'utf8'))
  const renewalFile = join(stateDir, 'identity/renewal.json')

  // Before the answer was on disk: the same key is shown again.
  await writeFile(renewalFile, JSON.stringify({ v: 1, key, csr }))
  const second = await renewing(t, stateDir)
  await second.came
  await second.stop()
  const given = second.current()
  t.equal(given.key, key)
  t.not(given.certificate, certificate, 'given anew')
  t.notOk(await letIn({ ...given, certificate }, port), 'the answer that was lost is good for nothing')

  // After the controller took it, before it stands as the identity.
  const third = await renewing(t, stateDir)
  t.equal(third.current().certificate, given.certificate)
  t.ok(await letIn(third.current(), port))
  const before = await tempFolder(t)
  await cp(join(stateDir, 'identity'), join(before, 'identity'), { recursive: true })
  await third.taken(third.current())
  await third.stop()

  // Between the key file and the identity, and between the identity and the removal of what led to it.
  const after = await tempFolder(t)
  await cp(join(stateDir, 'identity'), join(after, 'identity'), { recursive: true })
  const keyFile = (await loadIdentity(stateDir)).keyFile as string
  await cp(join(after, 'identity', keyFile), join(before, 'identity', keyFile))
  await cp(join(before, 'identity/renewal.json'), join(after, 'identity/renewal.json'))
  await writeFile(join(after, 'identity/key.pem'), old.key)
  for (const state of [before, after]) {
    const again = await renewing(t, state)
    t.ok(await letIn(again.current(), port))
    await again.taken(again.current())
    await again.stop()
    t.equal((await loadIdentity(state)).certificate, given.certificate)
    t.strictSame(await files(state), ['identity.json', keyFile])
  }
  await rm(renewalFile, { force: true })
})

t.test('a controller restored from a backup knows the old certificate alone; the agent finds back', async (t) => {
  const { controller, port, stateDir, old } = await due(t)
  const first = await renewing(t, stateDir)
  await first.came
  await first.stop()
  await controller.deps.store.run('DELETE FROM agent_certificates')
  const renewal = await renewing(t, stateDir)
  t.notOk(await letIn(renewal.current(), port))
  await renewal.refused(renewal.current())
  t.equal(renewal.current().certificate, old.certificate)
  t.ok(await letIn(renewal.current(), port))
  await renewal.taken(renewal.current())
  await renewal.came
  t.ok(await letIn(renewal.current(), port), 'and has another')
})

t.test('a revoked agent, or one without a certificate, is given none', async (t) => {
  const { controller, stateDir, old } = await due(t)
  await controller.api.post(`/v1/agents/${old.agent}/revoke`, {})
  const renewal = await renewing(t, stateDir)
  const words = async () => {
    while (renewal.standing().lastError === undefined) await new Promise((resolve) => setImmediate(resolve))
    return renewal.standing().lastError
  }
  t.match(await words(), /certificate was refused: it is not enrolled, or revoked/)
})
