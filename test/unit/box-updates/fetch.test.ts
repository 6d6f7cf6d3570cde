import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { serverError } from '../../../agent/enrol/index.ts'
import { type Fetch, fetchFile, NotNow } from '../../../agent/updates/fetch.ts'
import { fetchPart } from '../../../agent/updates/fetch-part.ts'
import { checkSpace, isWhole, partPath, partsFolder } from '../../../agent/updates/parts.ts'
import { makeTokenBucket } from '../../../agent/updates/token-bucket.ts'
import { systemClock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'
import type { ReleasePart } from '../../../shared/schemas/update.ts'
import { makeTestPki } from '../../integration/agent-test-pki.ts'
import { tempFolder } from '../spool/records.ts'
import { arch } from './box.ts'

const pki = await makeTestPki()
const pair = await pki.agentPair('box')
const content = randomBytes(300_000)
const tag = '"one"'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

async function world(t: Parameters<typeof tempFolder>[0], serve: Serve) {
  const stateDir = await tempFolder(t)
  const asked: { range: string | undefined; ifRange: string | undefined }[] = []
  const { key, certificate } = pki.server
  const server = createServer(
    { key, cert: `${certificate}${pki.ca}`, ca: pki.ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      asked.push({ range: request.headers.range, ifRange: request.headers['if-range'] as string | undefined })
      serve(request, response)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
  })
  await mkdir(partsFolder(stateDir), { recursive: true })
  const part: ReleasePart = {
    ...{ component: 'agent', arch, version: '2.0.0', file: 'a.deb', bytes: content.length },
    sha256: createHash('sha256').update(content).digest('hex'),
  }
  const origin = {
    ...{ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ca: pki.ca, key: pair.key },
    ...{ cert: pair.certificate, checkServer: serverError },
  }
  const file = partPath(stateDir, part)
  const fetch = (o: Partial<Fetch> = {}) =>
    fetchFile({
      ...{ origin, path: '/v1/releases/2.0.0/a.deb', file, from: 0, bytes: part.bytes },
      ...{ bucket: makeTokenBucket(systemClock, undefined), signal: new AbortController().signal, onBytes() {} },
      ...o,
    })
  return { stateDir, asked, part, file, fetch }
}

/** With ranges and If-Range; each answer breaks off after so many bytes. */
const breaking =
  (atMost: number, of = content, etag = tag): Serve =>
  ({ headers }, response) => {
    const from = headers['if-range'] === etag ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0
    response.writeHead(from > 0 ? 206 : 200, {
      ...{ etag, 'content-length': of.length - from },
      ...(from > 0 && { 'content-range': `bytes ${from}-${of.length - 1}/${of.length}` }),
    })
    const some = of.subarray(from, from + atMost)
    if (from + some.length === of.length) response.end(some)
    else response.write(some, () => response.destroy())
  }

t.test('a line that breaks again and again: each time from where it broke, until it is whole', async (t) => {
  const { asked, part, file, fetch, stateDir } = await world(t, breaking(100_000))
  const waits: number[] = []
  const clock = { now: () => 0, sleep: async (ms: number) => void waits.push(ms) }
  const { signal } = new AbortController()
  await fetchPart({ fetch, clock, random: () => 1, log: silentLog, signal, part, file, from: 0 }, () => {})
  t.ok(await isWhole(stateDir, part))
  t.ok(asked.length >= 3)
  t.match(asked[1], { range: /^bytes=[1-9]\d*-$/, ifRange: tag })
  t.ok(
    waits.every((ms) => ms === 5000),
    'what came further begins with a short wait each time',
  )
})

t.test('what the server changed since is begun anew', async (t) => {
  const other = randomBytes(content.length)
  let now: Serve = breaking(1000, other, '"other"')
  const { part, file, fetch, stateDir } = await world(t, (...of) => now(...of))
  await t.rejects(fetch(), { message: /broke off|ended after/ })
  const from = (await readFile(file)).length
  now = breaking(content.length)
  await fetch({ from })
  t.ok(await isWhole(stateDir, part))
  await rm(file)
  await writeFile(file, content.subarray(0, 10))
  await rm(`${file}.etag`)
  await fetch({ from: 10 })
  t.ok(await isWhole(stateDir, part), 'without a tag nothing says that the beginning is of the same file')
})

t.test('a file of another length is not what was signed; more of it is not even read', async (t) => {
  const short = await world(t, breaking(content.length, content.subarray(1)))
  await t.rejects(short.fetch(), { code: 'UPDATE_ALTERED' })
  await t.rejects(short.fetch({ from: 299_999 }), { code: 'UPDATE_ALTERED' })
  const endless = await world(t, (_, response) => {
    const more = (): void => void response.write(content, (error) => error || more())
    more()
  })
  await endless.fetch()
  t.ok(await isWhole(endless.stateDir, endless.part))
  const altered = await world(t, breaking(content.length, Buffer.concat([content.subarray(1), Buffer.from('x')])))
  await altered.fetch()
  t.notOk(await isWhole(altered.stateDir, altered.part))
})

t.test('a server that has no time says when to come again, and is not asked before', async (t) => {
  let busy = 2
  const { part, file, fetch } = await world(t, (request, response) => {
    if (busy-- > 0) response.writeHead(503, { 'retry-after': '120' }).end()
    else breaking(content.length)(request, response)
  })
  const waits: number[] = []
  const clock = { now: () => 0, sleep: async (ms: number) => void waits.push(ms) }
  const { signal } = new AbortController()
  await fetchPart({ fetch, clock, random: () => 0, log: silentLog, signal, part, file, from: 0 }, () => {})
  t.strictSame(waits, [121_250, 121_250], 'however often it says so')
  const missing = await world(t, (_, response) => response.writeHead(404).end())
  await t.rejects(missing.fetch(), new NotNow('it answered 404'))
})

t.test('a cap holds on the average, and an order that ends ends it', async (t) => {
  let now = 0
  const slept: number[] = []
  const clock = {
    now: () => now,
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
  const { fetch } = await world(t, breaking(content.length))
  await fetch({ bucket: makeTokenBucket(clock, 10_000) })
  t.ok(now >= 28_900 && now <= 30_000, `300,000 bytes at 10,000 a second, the first second at once: ${now} ms`)
  const order = new AbortController()
  order.abort(new Error('paused'))
  await t.rejects(fetch({ signal: order.signal }), { message: 'paused' })
})

t.test('without enough space nothing is begun, and how much it needs is told', async (t) => {
  const { stateDir, part } = await world(t, breaking(1))
  await checkSpace(stateDir, [part])
  await t.rejects(checkSpace(stateDir, [{ ...part, bytes: 2 ** 50 }]), {
    code: 'UPDATE_NO_SPACE',
    message: /needs \d+ MB at .*, \d+ MB are free/,
  })
  const full = await world(t, breaking(content.length))
  await symlink('/dev/full', full.file)
  await t.rejects(full.fetch(), { code: 'DISK_FULL' }, 'something else took the space meanwhile')
})
