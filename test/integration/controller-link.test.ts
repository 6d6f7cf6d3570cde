import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { newId } from '../../shared/ids.ts'
import { type BlockList, blockList, type Request, request } from '../../shared/schemas/desired-state.ts'
import type { Acknowledgement } from '../../shared/schemas/envelope.ts'
import { publicKeyFromPem, verifyDocument } from '../../shared/signing.ts'
import { topicOf, upTopic } from '../../shared/topics.ts'
import { eventBatch } from '../unit/ingest/world.ts'
import { clientOptions, closing, connected, newDataDir, nextMessage, runCentre, world } from './controller-world.ts'

const hello = (agent: string, more: object = {}) =>
  JSON.stringify({
    at: new Date().toISOString(),
    agent,
    version: '0',
    roles: ['decoys'],
    hostname: 'h',
    planRevision: 0,
    blocksRevision: 0,
    streams: {},
    ...more,
  })

/** The news that an agent came online. */
const online = (centre: Awaited<ReturnType<typeof world>>, whose: string) =>
  new Promise<void>((resolve) => {
    const off = centre.bus.on('presence', ({ agent, status }) => {
      if (agent === whose && status === 'online') resolve(off())
    })
  })

t.test(
  'an agent sends a batch and is told when it is committed; repeated and out of order it counts once',
  async (t) => {
    const centre = await world(t)
    const identity = await centre.newAgent()
    const client = await connected(clientOptions(identity, centre.broker.port()))
    t.teardown(() => client.endAsync(true))
    await client.subscribeAsync(topicOf(identity.agent, 'ack'), { qos: 1 })
    const epoch = newId()
    const all = nextMessage<Acknowledgement>(client, 'ack', ({ next }) => next === 300)
    const send = (first: number) =>
      client.publishAsync(upTopic(identity.agent, 'events'), eventBatch(epoch, first, 100), { qos: 1 })
    for (const first of [100, 0, 0, 200, 100, 200, 100]) await send(first)
    t.match(await all, { stream: 'events', epoch, next: 300 })
    t.match(await centre.store.get('SELECT count(*) AS n, count(DISTINCT number) AS distinct_n FROM records'), {
      n: 300,
      distinct_n: 300,
    })
    const again = nextMessage<Acknowledgement>(client, 'ack')
    await client.publishAsync(
      topicOf(identity.agent, 'hello'),
      hello(identity.agent, { streams: { events: { epoch, next: 999 } } }),
      { qos: 1 },
    )
    t.match(await again, { stream: 'events', epoch, next: 300 }, 'hello is answered with where we stand')
  },
)

t.test('documents come signed to whoever subscribes, and a changed block list at once', async (t) => {
  const centre = await world(t)
  const identity = await centre.newAgent()
  await centre.desired.refresh('blocks', 'all')
  const client = await connected(clientOptions(identity, centre.broker.port()))
  t.teardown(() => client.endAsync(true))
  const publicKey = publicKeyFromPem(centre.authority.signingPublicPem)
  const read = (message: object): BlockList =>
    verifyDocument(JSON.stringify(message), blockList, { publicKey, agent: identity.agent, now: Date.now() })
  const first = nextMessage<object>(client, 'blocks')
  await client.subscribeAsync(topicOf(identity.agent, 'blocks'), { qos: 1 })
  const before = read(await first)
  t.same(before.entries, [])
  centre.blocks.push({ id: newId(), cidr: '198.18.5.5/32', until: '2030-01-01T00:00:00Z' })
  const second = nextMessage<object>(client, 'blocks')
  centre.bus.emit({ name: 'blocks-changed' })
  const after = read(await second)
  t.equal(after.revision, before.revision + 1)
  t.equal(after.entries[0]?.cidr, '198.18.5.5/32')
  const third = nextMessage<object>(client, 'blocks')
  await client.publishAsync(topicOf(identity.agent, 'hello'), hello(identity.agent, { blocksRevision: 40 }), { qos: 1 })
  t.equal(read(await third).revision, 41, 'above what the agent holds')
})

t.test('a request is answered by its agent alone, or times out', async (t) => {
  const centre = await world(t)
  const [a, b] = [await centre.newAgent(), await centre.newAgent()]
  const [clientA, clientB] = await Promise.all([a, b].map((one) => connected(clientOptions(one, centre.broker.port()))))
  if (!clientA || !clientB) throw new Error('not connected')
  t.teardown(() => Promise.all([clientA.endAsync(true), clientB.endAsync(true)]))
  const there = online(centre, a.agent)
  await clientA.subscribeAsync(topicOf(a.agent, 'request'), { qos: 1 })
  await there
  const asked = nextMessage<object>(clientA, 'request')
  const answer = centre.requests.send(a.agent, { name: 'ping' })
  const publicKey = publicKeyFromPem(centre.authority.signingPublicPem)
  const got: Request = verifyDocument(JSON.stringify(await asked), request, {
    publicKey,
    agent: a.agent,
    now: Date.now(),
  })
  const reply = (ok: boolean) => JSON.stringify({ id: got.id, at: new Date().toISOString(), ok })
  await clientB.publishAsync(topicOf(b.agent, 'reply'), reply(false), { qos: 1 })
  await clientA.publishAsync(topicOf(a.agent, 'reply'), reply(true), { qos: 1 })
  t.equal((await answer).ok, true, 'what another agent answered does not count')
  await t.rejects(centre.requests.send(a.agent, { name: 'ping' }, { timeoutMs: 100 }), { code: 'TIMEOUT' })
})

t.test('an agent is online once it listens, and what is asked of it before then waits for that', async (t) => {
  const centre = await world(t)
  const identity = await centre.newAgent()
  const topic = topicOf(identity.agent, 'request')
  const first = await connected(clientOptions(identity, centre.broker.port()))
  // Its PUBACK comes after whatever its connect had written.
  await first.publishAsync(topicOf(identity.agent, 'hello'), hello(identity.agent), { qos: 1 })
  await t.rejects(centre.requests.send(identity.agent, { name: 'ping' }), { code: 'CONFLICT' }, 'it is not there yet')
  const there = online(centre, identity.agent)
  await first.subscribeAsync(topic, { qos: 1 })
  await there

  // It comes back before its old connection is known to be gone: it is online, and does not listen.
  const closed = closing(first)
  const second = await connected(clientOptions(identity, centre.broker.port()))
  t.teardown(() => second.endAsync(true))
  await closed
  first.end(true)
  const answer = centre.requests.send(identity.agent, { name: 'ping' })
  await second.publishAsync(topicOf(identity.agent, 'hello'), hello(identity.agent), { qos: 1 })
  const asked = nextMessage<{ body: string }>(second, 'request')
  await second.subscribeAsync(topic, { qos: 1 })
  const { id } = JSON.parse((await asked).body) as Request
  const reply = JSON.stringify({ id, at: new Date().toISOString(), ok: true })
  await second.publishAsync(topicOf(identity.agent, 'reply'), reply, { qos: 1 })
  t.equal((await answer).ok, true)
})

t.test('an agent speaks and listens only for itself', async (t) => {
  const centre = await world(t)
  const [a, b] = [await centre.newAgent(), await centre.newAgent()]
  const client = await connected(clientOptions(a, centre.broker.port()))
  t.teardown(() => client.endAsync(true))
  for (const topic of [
    topicOf(b.agent, 'plan'),
    topicOf(b.agent, 'ack'),
    upTopic(b.agent, 'events'),
    'marshlight/v1/+/plan',
    '#',
    topicOf(a.agent, 'hello'),
  ]) {
    const granted = await client.subscribeAsync(topic, { qos: 1 }).catch((error) => error)
    t.ok(granted instanceof Error || granted.every(({ qos }: { qos: number }) => qos === 128), `not granted: ${topic}`)
  }
  for (const topic of [
    upTopic(b.agent, 'events'),
    topicOf(b.agent, 'presence'),
    topicOf(a.agent, 'plan'),
    'anything',
    '$SYS/x',
  ]) {
    const one = await connected(clientOptions(a, centre.broker.port()))
    const closed = closing(one)
    one.publish(topic, eventBatch(newId(), 0, 5), { qos: 1 }, () => {})
    await closed
    one.end(true)
    t.pass(`closed after publishing to ${topic}`)
  }
  await centre.ingest.idle()
  t.match(await centre.store.get('SELECT count(*) AS n FROM records'), { n: 0 })
})

t.test('who is not an enrolled agent by its own name does not get in', async (t) => {
  const centre = await world(t)
  const port = centre.broker.port()
  const [a, b] = [await centre.newAgent(), await centre.newAgent()]
  await t.rejects(connected(clientOptions(a, port, { clientId: b.agent })), { code: 2 }, 'another’s name')
  const will = {
    topic: topicOf(b.agent, 'presence'),
    payload: Buffer.from('{"status":"offline"}'),
    qos: 1 as const,
    retain: true,
  }
  await t.rejects(connected(clientOptions(a, port, { will })), { code: 5 }, 'a last will in another’s name')
  const dataDir = await newDataDir()
  const other = await runCentre(dataDir)
  const stranger = await other.newAgent()
  await t.rejects(connected(clientOptions({ ...stranger, ca: a.ca }, port)), 'a certificate of another controller')
  await other.stop()
  rmSync(dataDir, { recursive: true })
  await t.rejects(connected({ ...clientOptions(a, port), key: undefined, cert: undefined } as never), 'no certificate')
  await centre.store.run(`DELETE FROM agent_segments`)
  await centre.store.run('DELETE FROM agents WHERE id = ?', b.agent)
  await t.rejects(connected(clientOptions(b, port)), { code: 5 }, 'an agent that was removed')
})

t.test('revoking cuts a connected agent off within a second, and it does not come back', async (t) => {
  const centre = await world(t)
  const [a, b] = [await centre.newAgent(), await centre.newAgent()]
  const client = await connected(clientOptions(a, centre.broker.port()))
  const bystander = await connected(clientOptions(b, centre.broker.port()))
  t.teardown(() => Promise.all([client.endAsync(true), bystander.endAsync(true)]))
  const closed = closing(client)
  const began = performance.now()
  await centre.revoke(a.agent)
  await closed
  t.ok(performance.now() - began < 1000)
  client.end(true)
  await t.rejects(connected(clientOptions(a, centre.broker.port())))
  t.ok(bystander.connected, 'others stay')
})

t.test('a second connection of the same agent takes the place of the first, and it stays online', async (t) => {
  const centre = await world(t)
  const identity = await centre.newAgent()
  const will = {
    topic: topicOf(identity.agent, 'presence'),
    payload: Buffer.from('{"status":"offline"}'),
    qos: 1 as const,
    retain: true,
  }
  const seen: string[] = []
  centre.bus.on('presence', ({ status }) => seen.push(status))
  const first = await connected(clientOptions(identity, centre.broker.port(), { will }))
  const closed = closing(first)
  const second = await connected(clientOptions(identity, centre.broker.port(), { will }))
  t.teardown(() => second.endAsync(true))
  await closed
  first.end(true)
  await second.subscribeAsync(topicOf(identity.agent, 'ack'), { qos: 1 })
  const ack = nextMessage<Acknowledgement>(second, 'ack')
  await second.publishAsync(upTopic(identity.agent, 'events'), eventBatch(newId(), 0, 1), { qos: 1 })
  await ack
  t.notOk(seen.includes('offline'))
  t.ok(centre.broker.connected(identity.agent))
})

t.test('malformed messages are kept as dead letters, and the connection stays', async (t) => {
  const centre = await world(t)
  const { agent, ...identity } = await centre.newAgent()
  const client = await connected(clientOptions({ agent, ...identity }, centre.broker.port()))
  t.teardown(() => client.endAsync(true))
  await client.subscribeAsync(topicOf(agent, 'ack'), { qos: 1 })
  const bad: [string, string | Buffer][] = [
    [topicOf(agent, 'hello'), 'not json'],
    [topicOf(agent, 'hello'), hello(newId())],
    [topicOf(agent, 'presence'), '{"status":"asleep"}'],
    [topicOf(agent, 'reply'), Buffer.alloc(300_000, 'x')],
    [upTopic(agent, 'events'), ''],
    [upTopic(agent, 'events'), Buffer.from([0xff, 0xfe, 0x00])],
    [upTopic(agent, 'state'), Buffer.alloc(1_000_000, '\n')],
  ]
  for (const [topic, payload] of bad) await client.publishAsync(topic, payload, { qos: 1 })
  const ack = nextMessage<Acknowledgement>(client, 'ack')
  await client.publishAsync(upTopic(agent, 'events'), eventBatch(newId(), 0, 2), { qos: 1 })
  t.equal((await ack).next, 2)
  t.match(await centre.store.get('SELECT count(*) AS n FROM dead_letters'), { n: bad.length })
})

t.test('a huge packet or a flood closes that connection; others go on', async (t) => {
  const centre = await world(t)
  const [a, b] = [await centre.newAgent(), await centre.newAgent()]
  const port = centre.broker.port()
  const bystander = await connected(clientOptions(b, port))
  t.teardown(() => bystander.endAsync(true))
  const huge = await connected(clientOptions(a, port))
  const closed = closing(huge)
  huge.publish(upTopic(a.agent, 'events'), Buffer.alloc(3_000_000), { qos: 1 }, () => {})
  await closed
  huge.end(true)

  // A connection by hand: CONNECT, then pings without end.
  const socket = tlsConnect({
    host: '127.0.0.1',
    port,
    key: a.key,
    cert: a.certificate,
    ca: a.ca,
    minVersion: 'TLSv1.3',
  })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  const id = Buffer.from(a.agent)
  const header = Buffer.from([0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, id.length])
  socket.write(Buffer.concat([Buffer.from([0x10, header.length + id.length]), header, id]))
  await once(socket, 'data')
  const gone = new Promise((resolve) => socket.once('close', resolve))
  const pings = Buffer.alloc(60_000, Buffer.from([0xc0, 0]))
  const timer = setInterval(() => socket.write(pings), 1)
  socket.resume()
  await gone.finally(() => clearInterval(timer))
  t.pass('closed')

  await bystander.subscribeAsync(topicOf(b.agent, 'ack'), { qos: 1 })
  const ack = nextMessage<Acknowledgement>(bystander, 'ack')
  await bystander.publishAsync(upTopic(b.agent, 'events'), eventBatch(newId(), 0, 2), { qos: 1 })
  t.equal((await ack).next, 2)
})
