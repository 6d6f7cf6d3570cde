import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type Identity, serverError } from '../../agent/enrol/index.ts'
import { type LinkHandlers, makeLink } from '../../agent/link/index.ts'
import type { Spool } from '../../agent/spool/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { seededRandom, systemRandom } from '../../shared/random.ts'
import type { BlockList, Request } from '../../shared/schemas/desired-state.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import { signDocument } from '../../shared/signing.ts'
import { notices, openSpool, tempFolder } from '../unit/spool/records.ts'
import { TestController } from './agent-test-controller.ts'
import { makeTestPki } from './agent-test-pki.ts'

const pki = await makeTestPki()

type Agent = Awaited<ReturnType<typeof makeAgent>>

async function makeAgent(
  t: Parameters<typeof tempFolder>[0],
  controller: TestController,
  given: Partial<LinkHandlers> & { folder?: string; ackTimeoutMs?: number; days?: number } = {},
) {
  const folder = given.folder ?? (await tempFolder(t))
  const agent = newId()
  const pair = await pki.agentPair(agent, given.days)
  const identity: Identity = {
    v: 1,
    agent,
    name: 'test',
    roles: ['decoys'],
    certificate: pair.certificate,
    key: pair.key,
    ca: pki.ca,
    mqtt: { host: '127.0.0.1', port: controller.port },
    signingKey: pki.signingPem,
  }
  const spool = await openSpool(join(folder, 'spool'))
  const got = { plans: [] as number[], blocks: [] as number[], requests: [] as string[] }
  const make = () =>
    makeLink(
      {
        identity,
        checkServer: serverError,
        folder: join(folder, 'documents'),
        spool,
        report: (stream, records) => spool.append(stream, records),
        handlers: {
          onPlan: (plan) => {
            got.plans.push(plan.revision)
            controller.events.emit('change')
          },
          onBlocks: (blocks) => {
            got.blocks.push(blocks.revision)
            controller.events.emit('change')
          },
          onRequest: async ({ id }) => {
            got.requests.push(id)
            return { ok: true, result: { pong: true } }
          },
          ...given,
        },
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
        about: { version: '0.0.0', hostname: 'box' },
      },
      {
        retry: { firstMs: 20, capMs: 200, refusedMs: 200 },
        uplink: { ackTimeoutMs: given.ackTimeoutMs ?? 2000 },
      },
    )
  const link = make()
  t.teardown(async () => {
    await link.stop()
    await spool.stop()
  })
  return { agent, folder, spool, link, got, make, serial: pair.serial }
}

async function makeController(t: Parameters<typeof tempFolder>[0]): Promise<TestController> {
  const controller = new TestController(pki)
  await controller.start()
  t.teardown(() => controller.stop())
  return controller
}

const start = (agent: Agent) => agent.link.start(new AbortController().signal)

const blocksFor = (agent: string, revision: number, more: Partial<BlockList> = {}): BlockList => ({
  kind: 'blocks',
  agent,
  revision,
  issuedAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + 60_000).toISOString(),
  entries: [],
  neverBlock: [],
  ...more,
})
const sign = (document: unknown) => signDocument(document, pki.signingKey)

const drained = (spool: Spool) => () => {
  const { acknowledged, next } = spool.standing('state')
  return acknowledged === next
}

/** For what the agent tells nobody of: looked at every few milliseconds. */
async function eventually(what: string, done: () => boolean, ms = 10_000): Promise<void> {
  for (const deadline = Date.now() + ms; !done(); await systemClock.sleep(10))
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${ms} ms`)
}

t.test('announces itself, sends what is in the spool, and trims on the acknowledgement alone', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await agent.spool.append('state', notices(2000))
  await start(agent)
  await controller.until('all records', () => controller.of('state').length === 2000)
  const [presence, hello] = controller.heard
  t.match(presence, { name: 'presence', message: { status: 'online' } })
  t.match(hello, { name: 'hello', message: { agent: agent.agent, streams: { state: { next: 2000 } } } })
  await eventually('the last acknowledgement', drained(agent.spool))
  const sent = performance.now()
  await agent.spool.append('events', notices(1) as never)
  await controller.until('a single event', () => controller.of('events').length === 1)
  t.ok(performance.now() - sent < 200, 'a single event leaves at once')
  t.match(agent.link.standing(), { connected: true })
  await agent.link.stop()
  t.strictSame(controller.faults, [])
  t.match(controller.heard.at(-1), { name: 'presence', message: { status: 'offline' } })
})

t.test('link losses, broker restarts, doubled and missing acknowledgements: 0 lost, 0 doubled', async (t) => {
  const random = seededRandom('link')
  const controller = await makeController(t)
  controller.ackCopies = () => Math.floor(random() * 3)
  const agent = await makeAgent(t, controller, { ackTimeoutMs: 150 })
  await start(agent)
  const total = 20_000
  let appended = 0
  const produce = async () => {
    while (appended < total) {
      const count = Math.min(total - appended, 1 + Math.floor(random() * 120))
      const records: Notice[] = notices(count, appended, 100)
      appended += count
      await agent.spool.append('state', records)
    }
  }
  const disturb = async () => {
    for (let round = 0; round < 12; round++) {
      const seen = controller.committed.length
      await controller.until(
        'some progress',
        () => controller.committed.length > seen || controller.committed.length >= total,
      )
      if (round % 4 === 3) {
        await controller.stop()
        await controller.start()
      } else controller.cut()
    }
  }
  await Promise.all([produce(), disturb()])
  controller.ackCopies = () => 1
  await controller.until('every record', () => controller.of('state').length >= total)
  t.strictSame(controller.faults, [])
  t.strictSame(controller.losses, [])
  t.same(
    controller.of('state').map((record) => Number.parseInt(String(record.message), 10)),
    Array.from({ length: total }, (_, i) => i),
  )
})

t.test('the most valuable streams go first after an outage', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await agent.spool.append('health', notices(3000, 0, 200) as never)
  await agent.spool.append('files', notices(3000, 0, 200) as never)
  await agent.spool.append('state', notices(1000, 0, 200))
  await start(agent)
  await controller.until('all', () => controller.committed.length === 7000)
  const firstOf = (stream: string) => controller.committed.findIndex((told) => told.stream === stream)
  t.ok(firstOf('state') < firstOf('files') && firstOf('files') < firstOf('health'))
})

t.test('losses are told with the records that follow them, or alone', async (t) => {
  const controller = await makeController(t)
  const folder = await tempFolder(t)
  const spool = await openSpool(join(folder, 'spool'), { limitBytes: 100_000, segmentBytes: 10_000 })
  for (let i = 0; i < 60; i++) await spool.append('state', notices(20, i * 20, 100))
  await spool.stop()
  const agent = await makeAgent(t, controller, { folder })
  await start(agent)
  await controller.until('the last record', () =>
    controller.of('state').some((record) => Number.parseInt(String(record.message), 10) === 1199),
  )
  t.strictSame(controller.faults, [])
  t.match(controller.losses, [{ stream: 'state', from: 0, reason: 'limit' }])
  t.equal(controller.of('state').length + (controller.losses[0]?.to ?? 0) + 1, 1200)
})

t.test('takes a signed document once it is on disk, and hands it on once', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await start(agent)
  await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
  const first = sign(blocksFor(agent.agent, 3))
  await controller.publish(agent.agent, 'blocks', first)
  await controller.publish(agent.agent, 'blocks', first)
  await controller.until('the block list', () => controller.of('state').length === 1)
  t.strictSame(agent.got.blocks, [3])
  t.match(controller.of('state')[0], { type: 'document', document: 'blocks', revision: 3, outcome: 'accepted' })
  t.match(JSON.parse(await readFile(join(agent.folder, 'documents', 'blocks.json'), 'utf8')), first)
  controller.cut()
  await controller.until('a second hello', () => controller.heard.filter(({ name }) => name === 'hello').length === 2)
  t.match(controller.heard.filter(({ name }) => name === 'hello').at(-1)?.message, { blocksRevision: 3 })
  t.strictSame(agent.got.blocks, [3], 'the retained copy after reconnecting changes nothing')
})

t.test(
  'forged, foreign, expired, replayed and malformed documents are refused and the last good one stays',
  async (t) => {
    const controller = await makeController(t)
    const agent = await makeAgent(t, controller)
    await start(agent)
    await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
    await controller.publish(agent.agent, 'blocks', sign(blocksFor(agent.agent, 5)))
    const other = await makeTestPki()
    const good = sign(blocksFor(agent.agent, 6))
    const bad: [string, unknown][] = [
      ['DOCUMENT_FORGED', signDocument(blocksFor(agent.agent, 9), other.signingKey)],
      ['DOCUMENT_FORGED', { ...good, body: good.body.replace('"revision":6', '"revision":7') }],
      ['DOCUMENT_FOREIGN', sign(blocksFor(newId(), 9))],
      ['DOCUMENT_EXPIRED', sign(blocksFor(agent.agent, 9, { expiresAt: new Date(Date.now() - 1000).toISOString() }))],
      ['DOCUMENT_REPLAYED', sign(blocksFor(agent.agent, 4))],
      ['DOCUMENT_REPLAYED', sign(blocksFor(agent.agent, 5, { neverBlock: ['198.18.0.0/24'] }))],
      ['DOCUMENT_MALFORMED', sign({ ...blocksFor(agent.agent, 9), entries: 'all' })],
      ['DOCUMENT_MALFORMED', 'not even JSON'],
    ]
    for (const [, message] of bad) await controller.publish(agent.agent, 'blocks', message)
    await controller.until('all refusals', () => controller.of('state').length === 1 + bad.length)
    const states = controller.of('state').slice(1)
    t.same(
      states.map((state) => [state.outcome, state.code]),
      bad.map(([code]) => ['refused', code]),
    )
    t.strictSame(agent.got.blocks, [5])
    t.equal(agent.link.held().blocks?.revision, 5)
    await controller.publish(agent.agent, 'blocks', good)
    await controller.until('the next good one', () => agent.got.blocks.includes(6))
  },
)

t.test('a held document outlives a restart and its expiry; a damaged one is set aside and told', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await start(agent)
  await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
  const soon = { expiresAt: new Date(Date.now() + 2000).toISOString() }
  await controller.publish(agent.agent, 'blocks', sign(blocksFor(agent.agent, 8, soon)))
  await controller.until('it', () => agent.got.blocks.includes(8))
  await agent.link.stop()
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(soon.expiresAt) - Date.now())))
  const second = agent.make()
  await second.start(new AbortController().signal)
  t.equal(second.held().blocks?.revision, 8)
  await second.stop()
  await writeFile(join(agent.folder, 'documents', 'blocks.json'), '{"v":1,"body":"{}","sig":"AAAA"}')
  const third = agent.make()
  await third.start(new AbortController().signal)
  t.equal(third.held().blocks, undefined)
  await controller.until('the notice', () => controller.of('state').some((record) => record.code === 'STATE_CORRUPT'))
  await third.stop()
})

t.test('a request is answered once, however often it comes; an expired or forged one never', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await start(agent)
  await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
  const ask = (more: Partial<Request> = {}): Request => ({
    kind: 'request',
    agent: agent.agent,
    id: newId(),
    issuedAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 30_000).toISOString(),
    op: { name: 'ping' },
    ...more,
  })
  const asked = ask()
  for (let i = 0; i < 3; i++) await controller.publish(agent.agent, 'request', sign(asked))
  await controller.publish(agent.agent, 'request', sign(ask({ expiresAt: new Date(Date.now() - 1).toISOString() })))
  await controller.publish(agent.agent, 'request', { ...sign(ask()), sig: sign('other').sig })
  const last = ask()
  await controller.publish(agent.agent, 'request', sign(last))
  const replies = () => controller.heard.filter(({ name }) => name === 'reply')
  await controller.until('both replies', () => replies().length >= 2 && controller.of('state').length >= 2)
  t.same(agent.got.requests, [asked.id, last.id])
  t.match(replies(), [{ message: { id: asked.id, ok: true, result: { pong: true } } }, { message: { id: last.id } }])
  t.same(
    controller
      .of('state')
      .map((record) => record.code)
      .sort(),
    ['DOCUMENT_EXPIRED', 'DOCUMENT_FORGED'],
  )
})

t.test('acknowledgements of another epoch or of records never sent are ignored', async (t) => {
  const controller = await makeController(t)
  controller.ackCopies = () => 0
  const agent = await makeAgent(t, controller, { ackTimeoutMs: 60_000 })
  await agent.spool.append('state', notices(10))
  await start(agent)
  await controller.until('the batch', () => controller.of('state').length === 10)
  const { epoch } = agent.spool.standing('state')
  await controller.publish(agent.agent, 'ack', { stream: 'state', epoch: newId(), next: 5 })
  await controller.publish(agent.agent, 'ack', { stream: 'state', epoch, next: 11 })
  await controller.publish(agent.agent, 'ack', 'what?')
  await controller.publish(agent.agent, 'blocks', sign(blocksFor(agent.agent, 1)))
  await controller.until('what came after them', () => agent.got.blocks.length === 1)
  t.equal(agent.spool.standing('state').acknowledged, 0)
})

t.test('a revoked certificate is said plainly, and tried again until it is allowed', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await start(agent)
  await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
  controller.revoke(await pki.revocationList([agent.serial]))
  controller.cut()
  await eventually('the refusal', () => agent.link.standing().lastError?.startsWith('CERTIFICATE_REFUSED') === true)
  t.match(agent.link.standing(), { connected: false, lastError: /^CERTIFICATE_REFUSED/ })
  controller.revoke(await pki.revocationList([]))
  await controller.until('the next hello', () => controller.heard.filter(({ name }) => name === 'hello').length === 2)
})

t.test('a server with a client’s certificate of the same fleet is not taken for the controller', async (t) => {
  const impostor = new TestController({ ...pki, server: await pki.agentPair(newId()) })
  await impostor.start()
  t.teardown(() => impostor.stop())
  const agent = await makeAgent(t, impostor)
  await start(agent)
  await eventually('a failed attempt', () => agent.link.standing().lastError !== undefined)
  t.notOk(agent.link.standing().connected)
  t.same(impostor.heard, [])
})
