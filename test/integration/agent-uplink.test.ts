import { join } from 'node:path'
import t from 'tap'
import { newId } from '../../shared/ids.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import { notices, openSpool, tempFolder } from '../unit/spool/records.ts'
import { blocksFor, drained, eventually, makeAgent, makeController, pki, sign, start } from './agent-link-world.ts'
import { TestController } from './agent-test-controller.ts'

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
