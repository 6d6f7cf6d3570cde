import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askController } from '../../agent/enrol/ask.ts'
import { requestFor } from '../../agent/enrol/certificate-request.ts'
import { enrolAddress } from '../../agent/enrol/identity.ts'
import { type Identity, loadIdentity, serialOf } from '../../agent/enrol/index.ts'
import type { Alert } from '../../controller/alerts/index.ts'
import type { WaitingBox } from '../../controller/fleet/index.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import { command } from '../faults/world.ts'
import { makeTestPki } from './agent-test-pki.ts'
import { clientOptions, connected } from './controller-world.ts'
import { enrolledBefore, renewing, serving } from './enrolment-world.ts'

t.setTimeout(120_000)
const board = (mark: string): Hardware => ({ board: mark.repeat(32), macs: [] })

/** A controller, and an agent that enrolled `days` ago on a box with board `a`; its certificate was good for 365. */
async function late(t: Test, { days = 380, settings = {}, bound = board('a') as Hardware | null } = {}) {
  const { dataDir, states } = await enrolledBefore(t, days, ['gate-1', 'gate-2'])
  const config = join(dataDir, 'config.json')
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), ...settings }))
  const { api, deps, ports } = await serving(t, dataDir)
  const [stateDir, other] = states as [string, string]
  const identity = await loadIdentity(stateDir)
  await deps.store.run('DELETE FROM agent_hardware')
  if (bound)
    await deps.store.run(
      'INSERT INTO agent_hardware (agent, body, since) VALUES (?, ?, ?)',
      identity.agent,
      JSON.stringify(bound),
      '2026',
    )
  /** What the enrolment server answers to a request for the next certificate by `shown`. */
  const csr = await requestFor(identity.key)
  const ask = async (
    shown: Pick<Identity, 'certificate' | 'key'> = identity,
    hardware: Hardware | undefined = board('a'),
  ) => {
    const { certificate: cert, key } = shown
    const { json } = await askController(enrolAddress(identity), { ca: identity.ca, key, cert }, '/v1/renew', {
      csr,
      hardware,
    })
    return json as { certificate?: string; error?: { code: string; message: string } }
  }
  const refused = async (message: RegExp, ...asked: Parameters<typeof ask>) =>
    t.match(await ask(...asked), { error: { code: 'CERTIFICATE_REFUSED', message }, certificate: undefined })
  const alerts = async () => (await api.get<{ items: Alert[] }>('/v1/alerts')).items
  const news = () => new Promise((resolve) => void deps.bus.on('alert', resolve))
  const waiting = async () => (await api.get<{ items: WaitingBox[] }>('/v1/claims/waiting')).items
  return { dataDir, api, deps, ports, stateDir, other, identity, ask, refused, alerts, news, waiting }
}

t.test('a box that was switched off past its certificate’s end comes back by itself, and is told of', async (t) => {
  const { stateDir, identity, ports, alerts, news } = await late(t)
  await t.rejects(connected(clientOptions(identity, ports.mqtt)), 'not by the old one')
  const told = news()
  const renewal = await renewing(t, stateDir, board('a'))
  await renewal.came
  await told
  t.match(await alerts(), [
    { kind: 'enrolment', severity: 'info', title: 'gate-1 came back after its certificate had ended' },
  ])
  await (await connected(clientOptions(renewal.current(), ports.mqtt))).endAsync(true)
  await renewal.taken(renewal.current())
  t.ok(Date.parse(new X509Certificate((await loadIdentity(stateDir)).certificate).validTo) > Date.now())
})

t.test('not after the grace, nor where there is none, nor another box', async (t) => {
  const { refused, alerts, news, identity } = await late(t)
  const told = news()
  await refused(/is of another box/, identity, board('b'))
  await told
  t.match(await alerts(), [{ kind: 'clone', title: 'an old certificate of gate-1 was shown again' }])
  await (await late(t, { days: 396 })).refused(/more than 30 days ago/)
  await (await late(t, { settings: { enrolment: { lateDays: 0 } } })).refused(/more than 0 days ago/)
})

t.test('revoked, replaced, removed, renewed since, or forged: never', async (t) => {
  const revoked = await late(t)
  await revoked.api.post(`/v1/agents/${revoked.identity.agent}/revoke`, {})
  await revoked.refused(/is not the last one of an agent/)
  await revoked.api.delete(`/v1/agents/${revoked.identity.agent}`)
  await revoked.refused(/is not the last one of an agent/)

  const replaced = await late(t)
  await replaced.api.post(`/v1/agents/${replaced.identity.agent}/replace`, { atOnce: true })
  await replaced.refused(/is not the last one of an agent/)

  const renewed = await late(t)
  const renewal = await renewing(t, renewed.stateDir, board('a'))
  await renewal.came
  await (await connected(clientOptions(renewal.current(), renewed.ports.mqtt))).endAsync(true)
  await renewed.refused(/is not the last one of an agent/)

  // Of the other agent's key, of another CA, and of this CA's name without its signature; all past their end.
  const { identity, refused, other } = await late(t)
  const stranger = await makeTestPki()
  await refused(/./, await stranger.agentPair(identity.agent, -1))
  const forged = await forge(identity)
  await refused(/./, forged)
  t.equal(serialOf(forged.certificate), serialOf(identity.certificate))
  await t.rejects((await late(t)).ask({ ...identity, key: (await loadIdentity(other)).key }))
})

/** A certificate as the agent's, with all that it says, by a key of somebody else's. */
async function forge({ certificate }: Identity) {
  const x509 = await import('@peculiar/x509')
  const real = new x509.X509Certificate(certificate)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: real.serialNumber,
    subject: real.subject,
    issuer: real.issuer,
    notBefore: real.notBefore,
    notAfter: real.notAfter,
    publicKey: keys.publicKey,
    signingKey: (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])).privateKey,
    signingAlgorithm: algorithm,
    extensions: real.extensions,
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return { certificate: made.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') }
}

t.test('it waits for approval where the policy is manual, or nothing tells the box apart', async (t) => {
  const cases = [{ settings: { enrolment: { approval: 'manual' } } }, { bound: null }]
  for (const given of cases) {
    const { ask, waiting, api, alerts, news, identity, dataDir } = await late(t, given)
    const told = news()
    t.match(await ask(), { error: { code: 'WAITS_FOR_APPROVAL' } })
    await told
    t.match(await ask(), { error: { code: 'WAITS_FOR_APPROVAL' } }, 'and asks again')
    const [box, ...more] = await waiting()
    t.match(box, { name: 'gate-1', segment: 'office', source: '127.0.0.1' })
    t.same(more, [])
    t.match(await alerts(), [
      { kind: 'enrolment', subject: box?.id, title: /^gate-1 came back after .* waits for approval$/ },
    ])
    if (given.settings) {
      const list = await command('marshlight', '--data', dataDir, 'agents', 'approve', box?.id.slice(-8) ?? '')
      t.match(list.out, /^Approved /)
    } else await api.post(`/v1/claims/waiting/${box?.id}/approve`, {})
    const { certificate } = await ask()
    t.equal(new X509Certificate(certificate ?? '').subject, `CN=${identity.agent}`)
    t.ok((await ask()).certificate, 'and again, had the answer been lost')
    t.same(await waiting(), [])
  }
  const { ask, waiting, api, refused } = await late(t, cases[0])
  await ask()
  await api.post(`/v1/claims/waiting/${(await waiting())[0]?.id}/reject`, {})
  await refused(/an administrator rejected/)
})
