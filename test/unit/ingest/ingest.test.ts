import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { readBlob } from '../../../controller/store/blobs.ts'
import { encodeBatch } from '../../../shared/batch.ts'
import { newId } from '../../../shared/ids.ts'
import { agent, eventBatch, eventLine, world } from './world.ts'

t.test('a batch is stored once, however often it comes, and each time acknowledged', async (t) => {
  const { ingest, acks, store, count } = await world(t)
  const epoch = newId()
  for (const [first, size] of [
    [0, 120],
    [0, 120],
    [60, 120],
    [180, 5],
  ] as const) {
    await ingest.accept(agent, 'events', eventBatch(epoch, first, size))
    await ingest.idle()
  }
  t.equal(await count('records'), 185)
  t.same(
    acks.map(({ next }) => next),
    [120, 120, 180, 185],
  )
  const bodies = await store.all<{ number: number; body: string }>('SELECT number, body FROM records ORDER BY number')
  t.ok(
    bodies.every(({ number, body }) => body === eventLine(number)),
    'every body stands under its own number',
  )
  t.match(await store.get('SELECT * FROM ingest_totals'), { committed: 185, duplicated: 180, lost: 0, dead: 0 })
})

t.test('batches that wait together are one commit with one acknowledgement', async (t) => {
  const { ingest, acks, bus, count } = await world(t)
  const epoch = newId()
  let commits = 0
  bus.on('committed', () => commits++)
  for (let i = 0; i < 10; i++) void ingest.accept(agent, 'events', eventBatch(epoch, i * 10, 10))
  await ingest.idle()
  t.equal(await count('records'), 100)
  t.equal(commits, 1)
  t.same(
    acks.map(({ next }) => next),
    [100],
  )
})

t.test('a gap that is not named is not taken; the answer says where we stand', async (t) => {
  const { ingest, acks, count } = await world(t)
  const epoch = newId()
  await ingest.accept(agent, 'events', eventBatch(epoch, 5, 5))
  await ingest.idle()
  t.equal(await count('records'), 0)
  t.match(acks.at(-1), { stream: 'events', epoch, next: 0 })
  await ingest.accept(agent, 'events', eventBatch(epoch, 5, 5, [{ from: 0, to: 4, reason: 'disk-full' }]))
  await ingest.idle()
  t.equal(await count('records'), 5)
  t.equal(await count('losses'), 1)
  t.equal(acks.at(-1)?.next, 10)
})

t.test('a gap the agent cannot fill, asked for often and long enough, is counted as lost', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const { ingest, acks, store } = await world(t, { now: () => now, sleep: () => Promise.resolve() })
  const epoch = newId()
  for (let i = 0; i < 4; i++) {
    t.not(acks.at(-1)?.next, 110, 'not before its time')
    await ingest.accept(agent, 'events', eventBatch(epoch, 100, 10))
    await ingest.idle()
    now += 4000
  }
  t.equal(acks.at(-1)?.next, 110)
  t.match(await store.get('SELECT * FROM losses'), { first: 0, last: 99, reason: 'corrupt' })
})

t.test('a record that does not fit its schema is a dead letter, and the stream moves past it', async (t) => {
  const { ingest, acks, count, store } = await world(t)
  const epoch = newId()
  const lines = [eventLine(0), '{"type":"event"}', 'not json', eventLine(3)]
  await ingest.accept(agent, 'events', encodeBatch({ v: 1, epoch, first: 0, count: 4, losses: [] }, lines))
  await ingest.idle()
  t.same(
    (await store.all<{ number: number }>('SELECT number FROM records')).map(({ number }) => number),
    [0, 3],
  )
  t.equal(await count('dead_letters'), 2)
  t.equal(acks.at(-1)?.next, 4)
})

t.test('a batch that cannot be read is a dead letter of bounded size, and harms no other', async (t) => {
  const { ingest, acks, store } = await world(t)
  const epoch = newId()
  const bad = [
    Buffer.from('no head'),
    Buffer.alloc(1_000_000, 'x'),
    encodeBatch({ v: 1, epoch, first: 0, count: 3, losses: [] }, [eventLine(0)]),
    encodeBatch({ v: 1, epoch, first: 0, count: 0, losses: [{ from: 9, to: 3, reason: 'limit' }] }, []),
    encodeBatch(
      { v: 1, epoch, first: 0, count: 0, losses: [{ from: 0, to: Number.MAX_SAFE_INTEGER, reason: 'limit' }] },
      [],
    ),
  ]
  for (const payload of bad) void ingest.accept(agent, 'events', payload)
  void ingest.accept(agent, 'events', eventBatch(epoch, 0, 3))
  await ingest.idle()
  const letters = await store.all<{ size: number; kept: number }>(
    'SELECT size, length(payload) AS kept FROM dead_letters',
  )
  t.equal(letters.length, bad.length)
  t.ok(letters.every(({ kept }) => kept <= 16_384))
  t.ok(
    letters.some(({ size }) => size === 1_000_000),
    'the size it had is told',
  )
  t.same(
    acks.map(({ next }) => next),
    [3],
  )
})

t.test('a flood of dead letters keeps to its bound', async (t) => {
  const { ingest, count, store } = await world(t)
  for (let i = 0; i < 2500; i++) await ingest.accept(agent, 'events', Buffer.from(`bad ${i}`))
  await ingest.idle()
  t.ok((await count('dead_letters')) <= 1000)
  t.match(await store.get('SELECT dead FROM ingest_totals'), { dead: 2500 })
})

t.test('file parts become one blob; the records keep all but the bytes', async (t) => {
  const { ingest, store, count } = await world(t)
  const data = randomBytes(5000)
  const sha256 = createHash('sha256').update(data).digest('hex')
  const part = (n: number, bytes: Buffer, hash = sha256) =>
    JSON.stringify({
      type: 'file',
      at: '2026-01-01T00:00:00Z',
      decoy: newId(),
      kind: 'capture',
      sha256: hash,
      size: 5000,
      originalSize: 5000,
      part: n,
      parts: 2,
      data: bytes.toString('base64'),
    })
  const epoch = newId()
  const send = async (first: number, lines: string[]) => {
    await ingest.accept(agent, 'files', encodeBatch({ v: 1, epoch, first, count: lines.length, losses: [] }, lines))
    await ingest.idle()
  }
  await send(0, [part(1, data.subarray(3000))])
  t.equal(await readBlob(store, sha256), undefined, 'not whole yet')
  await send(1, [part(0, data.subarray(0, 3000))])
  t.match(await readBlob(store, sha256), { kind: 'capture', size: 5000, verified: true, data })
  t.equal(await count('blob_parts'), 0)
  const bodies = await store.all<{ body: string }>('SELECT body FROM records')
  t.ok(bodies.length === 2 && bodies.every(({ body }) => !('data' in JSON.parse(body))))
  const forged = 'f'.repeat(64)
  await send(2, [part(0, data.subarray(0, 3000), forged), part(1, data.subarray(3000), forged)])
  t.equal(await readBlob(store, forged), undefined, 'bytes of another hash are not kept')
  t.equal(await count('dead_letters'), 1)
})

t.test('accept lets the sender wait while its queue is full, and every batch is taken', async (t) => {
  const { ingest, count } = await world(t)
  const epoch = newId()
  let done = 0
  const accepted = Array.from({ length: 60 }, (_, i) =>
    ingest.accept(agent, 'events', eventBatch(epoch, i * 400, 400)).then(() => done++),
  )
  await Promise.resolve()
  t.ok(done < 60, 'some had to wait')
  await Promise.all(accepted)
  await ingest.idle()
  t.equal(await count('records'), 24_000)
})
