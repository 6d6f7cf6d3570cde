import { createServer as createHttp } from 'node:http'
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net'
import { createServer as createTls, type TlsOptions } from 'node:tls'
import t, { type Test } from 'tap'
import type { CheckContext } from '../../agent/cli/checks/check.ts'
import { clock } from '../../agent/cli/checks/clock.ts'
import { enrolment, reach } from '../../agent/cli/checks/controller.ts'
import { examine } from '../../agent/cli/checks/examine.ts'
import { agentConfig } from '../../agent/config.ts'
import type { Identity } from '../../agent/enrol/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { makeTestPki } from './agent-test-pki.ts'

const pki = await makeTestPki()
const stranger = await makeTestPki()
const agent = newId()
const own = await pki.agentPair(agent)

async function listening(t: Test, server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

const tlsAt = (t: Test, options: TlsOptions) => {
  const server = createTls({ minVersion: 'TLSv1.3', requestCert: true, ...options }, (socket) => {
    socket.on('error', () => undefined)
    socket.resume()
  })
  server.on('tlsClientError', () => undefined)
  return listening(t, server)
}

const identityAt = (port: number, pair = own): Identity => ({
  v: 1,
  agent,
  name: 'box-1',
  roles: ['decoys'],
  certificate: pair.certificate,
  key: pair.key,
  ca: pki.ca,
  mqtt: { host: '127.0.0.1', port },
  signingKey: pki.signingPem,
})

async function contextOf(t: Test, identity: Identity | undefined, now?: number): Promise<CheckContext> {
  const own = now === undefined ? systemClock : { ...systemClock, now: () => now }
  const stateDir = await tempFolder(t)
  return { stateDir, config: agentConfig.parse({}), clock: own, role: 'decoys', identity, root: '' }
}

const look = async (t: Test, port: number) =>
  reach.run(await contextOf(t, identityAt(port)), new AbortController().signal)

t.test('a controller that trusts this box, and is trusted', async (t) => {
  const { certificate: cert, key } = pki.server
  const port = await tlsAt(t, { cert, key, ca: pki.ca, rejectUnauthorized: true })
  t.match(await look(t, port), { ok: true, detail: /answers, TLSv1.3/ })
})

t.test('each step that fails is told by its name, with what to do', async (t) => {
  const gone = createTcp()
  const closed = await listening(t, gone)
  await new Promise((done) => gone.close(done))
  t.match(await look(t, closed), { ok: false, step: 'TCP', detail: /turns this box away/, next: /controller runs/ })

  const mail = await listening(
    t,
    createTcp((socket) => socket.on('error', () => {}).end('220 mail.example ESMTP\r\n')),
  )
  t.match(await look(t, mail), { ok: false, step: 'TLS', detail: /not as a controller does/ })

  const portal = createHttp((_, response) => response.writeHead(302, { location: 'http://198.18.0.9/login' }).end())
  t.match(await look(t, await listening(t, portal)), {
    ok: false,
    step: 'TLS',
    detail: /log-in first.*http:\/\/198\.18\.0\.9/,
  })

  const other = stranger.server
  t.match(await look(t, await tlsAt(t, { cert: other.certificate, key: other.key })), {
    ok: false,
    step: 'certificate',
    detail: /another than this box's controller.*by Test CA/,
  })

  const old = await pki.serverPair(-2, -1)
  t.match(await look(t, await tlsAt(t, { cert: old.certificate, key: old.key })), {
    ok: false,
    step: 'certificate',
    detail: /ended at/,
  })

  const early = await pki.serverPair(1, 2)
  t.match(await look(t, await tlsAt(t, { cert: early.certificate, key: early.key })), {
    ok: false,
    step: 'certificate',
    detail: /clock is before/,
    next: /Set the clock/,
  })

  const { certificate: cert, key } = pki.server
  const crl = await pki.revocationList([own.serial])
  t.match(await look(t, await tlsAt(t, { cert, key, ca: pki.ca, crl, rejectUnauthorized: true })), {
    ok: false,
    step: 'claim',
    detail: /does not take this box/,
    next: /invitation/,
  })
  const client = await pki.agentPair(newId())
  t.match(
    await look(t, await tlsAt(t, { cert: client.certificate, key: client.key })),
    { ok: false, step: 'certificate' },
    'another agent is not taken for the controller',
  )
})

t.test('a clock of 1970 is the one thing to mend, whatever else fails by it', async (t) => {
  const early = await pki.serverPair(1, 2)
  const port = await tlsAt(t, { cert: early.certificate, key: early.key })
  const found = await examine([clock, enrolment, reach], await contextOf(t, identityAt(port), 86_400_000))
  t.match(found, [
    { name: 'clock', ok: false, detail: /1970-01-02 00:00 UTC, which cannot be/, next: /timedatectl/ },
    { name: 'enrolment', ok: false, follows: 'clock' },
    { name: 'controller', ok: false, follows: 'clock', step: 'certificate' },
  ])
  t.notOk(found[1]?.next)
  const late = await examine([clock], await contextOf(t, identityAt(port), Date.now() - 5 * 86_400_000))
  t.match(late, [{ ok: false, detail: /at least 4 days behind/ }])
})

t.test('a box without a controller, and one whose certificate ended', async (t) => {
  const none = await examine([enrolment, reach], await contextOf(t, undefined))
  t.match(none, [
    { ok: false, next: /enrol --controller/ },
    { ok: false, follows: 'enrolment' },
  ])
  const ended = await pki.agentPair(agent, -0.5)
  const found = await examine([enrolment], await contextOf(t, identityAt(1, ended)))
  t.match(found, [{ ok: false, detail: /expired at/ }])
})

t.test('before it is enrolled, the controller is told by the CA that the claim names', async (t) => {
  const claimAt = async (port: number, proxy?: string) => {
    const config = agentConfig.parse(proxy === undefined ? {} : { proxy })
    const claim = { host: '127.0.0.1', port, ca: pki.fingerprint }
    return reach.run({ ...(await contextOf(t, undefined)), config, claim }, new AbortController().signal)
  }
  const chained = ({ certificate, key }: { certificate: string; key: string }, ca: string) =>
    tlsAt(t, { cert: `${certificate}${ca}`, key, requestCert: false })
  const good = await chained(pki.server, pki.ca)
  t.match(await claimAt(good), { ok: true, detail: /controller of this box's claim/ })
  const other = await chained(stranger.server, stranger.ca)
  t.match(await claimAt(other), { ok: false, step: 'certificate', detail: /another answers/ })
  const portal = createHttp((_, response) => response.writeHead(302, { location: 'http://198.18.0.9/login' }).end())
  t.match(await claimAt(await listening(t, portal)), { ok: false, step: 'TLS', detail: /log-in first/ })
  const gone = createTcp()
  const closed = await listening(t, gone)
  await new Promise((done) => gone.close(done))
  t.match(await claimAt(good, `http://127.0.0.1:${closed}`), { ok: false, step: 'TCP', detail: /turns this box away/ })
  const page = await listening(
    t,
    createHttp((_, response) => response.end('no proxy')),
  )
  t.match(await claimAt(good, `http://127.0.0.1:${page}`), { ok: false, step: 'proxy', next: /CONNECT/ })
  const context = { ...(await contextOf(t, undefined)), claim: { host: '127.0.0.1', port: good, ca: pki.fingerprint } }
  t.match(await enrolment.run(context, new AbortController().signal), { ok: true, detail: /not yet/ })
})
