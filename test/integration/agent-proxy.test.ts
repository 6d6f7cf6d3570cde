import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askStanding, enrol, loadIdentity, serverError } from '../../agent/enrol/index.ts'
import { makeLink } from '../../agent/link/index.ts'
import { type Fetch, fetchFile, NotNow } from '../../agent/updates/fetch.ts'
import { makeTokenBucket } from '../../agent/updates/token-bucket.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import { freePort } from '../faults/controller.ts'
import { openSpool, tempFolder } from '../unit/spool/records.ts'
import { makeTestPki } from './agent-test-pki.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

/** A real proxy on loopback. `asked`: resolves when its log has a line that fits. `ports`: to which it leads. */
async function tinyproxy(t: Test, ports: readonly number[]) {
  const own = await freePort()
  const config = join(await tempFolder(t), 'tinyproxy.conf')
  const lines = [`Port ${own}`, 'Listen 127.0.0.1', 'LogLevel Info', ...ports.map((port) => `ConnectPort ${port}`)]
  await writeFile(config, `${lines.join('\n')}\n`)
  const child: ChildProcess = spawn('tinyproxy', ['-d', '-c', config], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    log += text
    child.emit('line')
  })
  const asked = async (words: RegExp) => {
    while (!words.test(log)) await once(child, 'line')
  }
  await asked(/Accepting connections/)
  return { url: `http://127.0.0.1:${own}`, asked }
}

t.test('claim, standing and MQTT go through a proxy where the settings name one', async (t) => {
  const { dataDir, ports } = await enrolledBefore(t, 0, [])
  const { api } = await serving(t, dataDir)
  const proxy = await tinyproxy(t, [ports.enrol, ports.mqtt])
  const { items } = await api.post<{ items: { token: string }[] }>('/v1/agents/invite', { segment: 'office' })
  const stateDir = await tempFolder(t)
  const token = items[0]?.token ?? ''
  const now = Date.now()
  const shared = { stateDir, token, version: '0', now }

  const shut = await tinyproxy(t, [1])
  await t.rejects(enrol({ ...shared, proxy: shut.url }), { code: 'PROXY_REFUSED', message: /403/ })
  const gone = `http://127.0.0.1:${await freePort()}`
  await t.rejects(enrol({ ...shared, proxy: gone }), { code: 'PROXY_REFUSED', message: /refused/i })
  const web = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  t.teardown(() => web.close())
  await once(web, 'listening')
  const page = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
  await t.rejects(enrol({ ...shared, proxy: page }), { code: 'PROXY_REFUSED' }, 'a web server is no proxy')

  await enrol({ ...shared, proxy: proxy.url })
  await proxy.asked(new RegExp(`CONNECT 127\\.0\\.0\\.1:${ports.enrol}`))
  const identity = await loadIdentity(stateDir)
  t.match(identity.enrol, { host: '127.0.0.1', port: ports.enrol })
  t.equal(await askStanding(identity, now, proxy.url), undefined)
  await t.rejects(askStanding(identity, now, gone), { code: 'PROXY_REFUSED' })

  const spool = await openSpool(join(stateDir, 'spool'))
  const link = makeLink({
    identity,
    checkServer: serverError,
    proxy: proxy.url,
    folder: join(stateDir, 'documents'),
    spool,
    report: (stream, records) => spool.append(stream, records),
    handlers: { onPlan: () => {}, onBlocks: () => {}, onRequest: async () => ({ ok: true }) },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    about: { version: '0', hostname: 'box' },
  })
  await link.start(new AbortController().signal)
  t.teardown(async () => {
    await link.stop()
    await spool.stop()
  })
  const online = async () => (await api.get<{ items: { online?: boolean; status?: string }[] }>('/v1/agents')).items[0]
  await proxy.asked(new RegExp(`CONNECT 127\\.0\\.0\\.1:${ports.mqtt}`))
  while (!link.standing().connected) await systemClock.sleep(20)
  t.ok(await online())
})

t.test('parts of a release come through the proxy; a way that it refuses is asked for again', async (t) => {
  const pki = await makeTestPki()
  const { key, certificate: cert } = await pki.agentPair('box')
  const { key: serverKey, certificate } = pki.server
  const server = createTlsServer(
    { key: serverKey, cert: `${certificate}${pki.ca}`, ca: pki.ca, requestCert: true, rejectUnauthorized: true },
    (_, response) => response.end('release'),
  ).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const file = join(await tempFolder(t), 'a.deb')
  const controller = new AbortController()
  const fetch = (proxy: string) => {
    const origin: Fetch['origin'] = { host: '127.0.0.1', port, proxy, ca: pki.ca, key, cert, checkServer: serverError }
    return fetchFile({
      ...{ origin, path: '/v1/releases/2.0.0/a.deb', file, from: 0, bytes: 7 },
      ...{ bucket: makeTokenBucket(systemClock, undefined), signal: controller.signal, onBytes() {} },
    })
  }
  const open = await tinyproxy(t, [port])
  await fetch(open.url)
  await open.asked(new RegExp(`CONNECT 127\\.0\\.0\\.1:${port}`))
  t.equal(await readFile(file, 'utf8'), 'release')

  const shut = await tinyproxy(t, [1])
  const refused = (await fetch(shut.url).catch((error) => error)) as Error
  t.ok(refused instanceof NotNow, 'it is tried again')
  t.match(refused.message, /the proxy http:\S+ gives no way to 127\.0\.0\.1:\d+: it answers 403/)
  controller.abort(new Error('stopped'))
  await t.rejects(fetch(shut.url), { message: 'stopped' })
})
