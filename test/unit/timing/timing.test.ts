import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createWeb } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { visit } from '../../../agent/timing/ask.ts'
import { makeTiming } from '../../../agent/timing/index.ts'
import type { AskedKind, Service } from '../../../agent/timing/services.ts'
import { silentLog } from '../../../shared/log.ts'
import type { Plan } from '../../../shared/schemas/desired-state.ts'
import type { FeatureWindow } from '../../../shared/schemas/observation.ts'

const at = (kind: AskedKind, port: number): Service => ({
  cidr: '127.0.0.0/8',
  ip: '127.0.0.1',
  port,
  kind,
  from: '127.0.0.1',
})

async function listening(t: Test, server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('a web server is asked for its page, once', async (t) => {
  const asked: string[] = []
  const web = createWeb((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    setTimeout(() => response.end('x'.repeat(500)), 40)
  })
  const port = await listening(t, web)
  const seen = await visit(at('http', port))
  t.same(asked, ['GET /'])
  t.match(seen, { failed: false })
  t.ok((seen.responseMs ?? 0) >= 39, `${seen.responseMs} ms`)
  t.ok((seen.responseBytes ?? 0) > 500)
})

t.test('a server that greets is told goodbye; one that is not there has failed', async (t) => {
  const heard: string[] = []
  const server = createServer((socket) => {
    setTimeout(() => socket.write('220 files FTP\r\n'), 30)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      heard.push(data.toString())
      setTimeout(() => socket.end('221 Bye\r\n'), 20)
    })
  })
  const port = await listening(t, server)
  const seen = await visit(at('ftp', port))
  t.same(heard, ['QUIT\r\n'])
  // The server's wait begins when it accepts, which a busy machine lets the client know of later.
  const greetedMs = (seen.connectMs ?? 0) + (seen.handshakeMs ?? 0)
  t.ok(greetedMs >= 29 && (seen.responseMs ?? 0) >= 19, JSON.stringify(seen))
  t.equal(seen.responseBytes, 9)
  server.close()
  await once(server, 'close')
  t.strictSame(await visit(at('ftp', port)), { failed: true })
  t.match(
    await visit(
      at(
        'https',
        await listening(
          t,
          createServer((socket) => socket.destroy()),
        ),
      ),
    ),
    { failed: true },
  )
})

t.test('over TLS the handshake is told apart from the answer', async (t) => {
  const folder = t.testdir()
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=files', '-days', '2', '-nodes', '-newkey', 'rsa:2048']
  execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const web = createSecure({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
    setTimeout(() => response.end('y'.repeat(700)), 60)
  })
  const seen = await visit(at('https', await listening(t, web)))
  t.match(seen, { failed: false })
  t.ok((seen.responseMs ?? 0) >= 59 && (seen.handshakeMs ?? 99) > 0, JSON.stringify(seen))
  t.ok((seen.responseBytes ?? 0) > 700)
})

t.test('a resolver that has no such name has answered; one that refuses has failed', async (t) => {
  for (const [code, failed] of [
    [3, false],
    [5, true],
  ] as const) {
    const resolver = createSocket('udp4')
    resolver.on('message', (query, from) => {
      const answer = Buffer.from(query)
      answer[2] = 0x81
      answer[3] = code
      resolver.send(answer, from.port, from.address)
    })
    resolver.bind(0, '127.0.0.1')
    await once(resolver, 'listening')
    t.match(await visit(at('dns', resolver.address().port)), { failed, responseBytes: 40 })
    resolver.close()
  }
})

t.test('one visit at a time, each service as often as the plan says, no two within three seconds', async (t) => {
  let now = Date.parse('2026-11-21T15:00:00Z')
  let open = 0
  const visits: { at: number; ip: string }[] = []
  const told: FeatureWindow[] = []
  const ended = new AbortController()
  let done = () => {}
  const hour = new Promise<void>((resolve) => {
    done = resolve
  })
  const hosts = [10, 11, 12].map((n) => ({
    type: 'host' as const,
    at: '',
    cidr: '198.18.1.0/24',
    ip: `198.18.1.${n}`,
    mac: `00:50:56:00:00:${n}`,
    names: [],
    depth: 'detail' as const,
    ports: [{ port: 22, proto: 'tcp' as const, service: 'ssh' }],
    os: [],
  }))
  const timing = makeTiming({
    report: async (_stream, records) => void told.push(...(records as unknown as FeatureWindow[])),
    clock: {
      now: () => now,
      sleep: async (ms) => {
        now += ms
        if (now >= Date.parse('2026-11-21T16:00:00Z')) {
          done()
          await once(ended.signal, 'abort')
        }
      },
    },
    random: () => 0.5,
    log: silentLog,
    nics: async () => [
      { cidr: '198.18.1.0/24', nic: 'eth0', address: '198.18.1.2', mac: '00:50:56:00:00:02', dns: [] },
    ],
    hosts: () => hosts,
    ownDecoys: () => [{ ip: '198.18.1.12', mac: '52:54:00:00:00:12' }],
    async visit({ ip }) {
      t.equal(++open, 1)
      visits.push({ at: now, ip })
      await new Promise((resolve) => setImmediate(resolve))
      open--
      return { failed: false, connectMs: 1 }
    },
  })
  const scan = { ranges: [], exclude: [], decoyMacs: [], maxHosts: 4096 }
  const observe = { segments: ['198.18.1.0/24'], probeEverySeconds: 300 }
  timing.applyPlan({ observe, scan, decoys: [] } as unknown as Plan)
  await timing.start(ended.signal)
  await hour
  ended.abort()
  await timing.stop()
  t.same([...new Set(visits.map(({ ip }) => ip))].sort(), ['198.18.1.10', '198.18.1.11'], 'never the decoy')
  const perHost = visits.filter(({ ip }) => ip === '198.18.1.10').length
  t.ok(perHost >= 11 && perHost <= 13, `${perHost} visits an hour`)
  t.ok(
    visits.slice(1).every((one, i) => one.at - (visits[i]?.at ?? 0) >= 3000),
    'spread',
  )
  t.equal(told.length, visits.length)
})

t.test('a segment that is switched off during a visit is not told of', async (t) => {
  let visits = 0
  const told: unknown[] = []
  const ended = new AbortController()
  const applied = (segments: string[]) =>
    timing.applyPlan({
      observe: { segments, probeEverySeconds: 300 },
      scan: { ranges: [], exclude: [], decoyMacs: [], maxHosts: 4096 },
      decoys: [],
    } as unknown as Plan)
  const off = Promise.withResolvers<void>()
  const host = { type: 'host' as const, at: '', cidr: '198.18.1.0/24', ip: '198.18.1.10', mac: '00:50:56:00:00:10' }
  let now = 0
  const timing = makeTiming({
    report: async (_stream, records) => void told.push(...records),
    clock: {
      now: () => now,
      sleep: async (ms, signal) => {
        now += ms
        if (visits > 0) await once(signal as AbortSignal, 'abort')
      },
    },
    random: () => 0.5,
    log: silentLog,
    nics: async () => [
      { cidr: '198.18.1.0/24', nic: 'eth0', address: '198.18.1.2', mac: '00:50:56:00:00:02', dns: [] },
    ],
    hosts: () => [{ ...host, names: [], depth: 'detail', ports: [{ port: 22, proto: 'tcp', service: 'ssh' }], os: [] }],
    ownDecoys: () => [],
    async visit() {
      visits++
      applied([])
      setImmediate(off.resolve)
      return { failed: false, connectMs: 1 }
    },
  })
  applied(['198.18.1.0/24'])
  await timing.start(ended.signal)
  await off.promise
  ended.abort()
  await timing.stop()
  t.equal(visits, 1)
  t.same(told, [])
})
