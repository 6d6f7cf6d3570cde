import t from 'tap'
import { makeRetention } from '../../../controller/ingest/index.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { agent, eventBatch, world } from './world.ts'

const day = 86_400_000
const config = {
  retention: { recordsDays: 90, historyDays: 365, enforcementDays: 14, healthDays: 7, deadLettersDays: 30 },
}

t.test('old records go, but none that a worker has yet to read, nor the newest', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock = { now: () => now, sleep: () => Promise.resolve() }
  const { ingest, store, count } = await world(t, clock)
  const epoch = newId()
  await ingest.accept(agent, 'events', eventBatch(epoch, 0, 1200))
  await ingest.idle()
  now += 91 * day
  const retention = makeRetention({ store, clock, log: silentLog, config }, ['sessions', 'risk'])
  await retention.sweep()
  t.equal(await count('records'), 1200, 'no worker has begun')
  await store.run(`INSERT INTO cursors VALUES ('sessions', 1200), ('risk', 700)`)
  await retention.sweep()
  t.equal(await count('records'), 500, 'the slowest worker decides')
  await store.run(`UPDATE cursors SET pos = 1200`)
  await retention.sweep()
  t.same(await store.all('SELECT pos FROM records'), [{ pos: 1200 }])
  await ingest.accept(agent, 'events', eventBatch(epoch, 1200, 1))
  await ingest.idle()
  t.match(await store.get('SELECT max(pos) AS pos FROM records'), { pos: 1201 }, 'no position is given out twice')
})

t.test('losses and dead letters that went do not hide those that come: no id is given out twice', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock = { now: () => now, sleep: () => Promise.resolve() }
  const { store } = await world(t, clock)
  const at = new Date(now).toISOString()
  const add = async () => {
    await store.run(
      `INSERT INTO losses (agent, stream, epoch, first, last, reason, at) SELECT 'a', 'events', 'e', count(*), 1, 'disk', ? FROM losses`,
      at,
    )
    await store.run(
      `INSERT INTO dead_letters (agent, topic, at, why, size, payload) VALUES ('a', 't', ?, 'w', 0, x'')`,
      at,
    )
  }
  const newest = async () => [
    await store.get('SELECT MAX(id) AS id FROM losses'),
    await store.get('SELECT MAX(id) AS id FROM dead_letters'),
  ]
  for (let i = 0; i < 3; i++) await add()
  now += 400 * day
  const retention = makeRetention({ store, clock, log: silentLog, config }, [])
  await retention.sweep()
  t.same(await store.get('SELECT COUNT(*) AS n FROM losses'), { n: 1 })
  await add()
  t.same(await newest(), [{ id: 4 }, { id: 4 }])
})
