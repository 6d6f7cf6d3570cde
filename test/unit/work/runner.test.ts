import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { Projector } from '../../../controller/work/port.ts'
import { makeRunner } from '../../../controller/work/runner.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { agent, eventBatch, world } from '../ingest/world.ts'

const signal = new AbortController().signal

t.test('each record reaches each worker once, over restarts and new commits', async (t) => {
  const { ingest, store, bus } = await world(t)
  const seen: number[] = []
  const done = Promise.withResolvers<void>()
  const projector: Projector<'events'> = {
    name: 'test',
    streams: ['events'],
    async project(_sql, records) {
      seen.push(...records.map(({ pos }) => pos))
      if (seen.length === 1300) done.resolve()
      return []
    },
  }
  const epoch = newId()
  await ingest.accept(agent, 'events', eventBatch(epoch, 0, 600))
  await ingest.idle()
  const first = makeRunner([projector], { store, bus, clock: systemClock, log: silentLog })
  await first.start(signal)
  await first.drain()
  await first.stop()
  t.equal(seen.length, 600)
  const second = makeRunner([projector], { store, bus, clock: systemClock, log: silentLog })
  await second.start(signal)
  await ingest.accept(agent, 'events', eventBatch(epoch, 600, 700))
  await done.promise
  await second.stop()
  t.same(
    seen,
    Array.from({ length: 1300 }, (_, i) => i + 1),
  )
})

t.test(
  'a start does not wait for the backlog; a stop in its midst ends, and the next start works up the rest',
  async (t) => {
    const { ingest, store, bus } = await world(t)
    const total = 5000
    const seen: number[] = []
    const begun = Promise.withResolvers<void>()
    const done = Promise.withResolvers<void>()
    const projector: Projector<'events'> = {
      name: 'test',
      streams: ['events'],
      async project(_sql, records) {
        seen.push(...records.map(({ pos }) => pos))
        begun.resolve()
        if (seen.length >= total) done.resolve()
        return []
      },
    }
    const epoch = newId()
    for (let first = 0; first < total; first += 1000)
      await ingest.accept(agent, 'events', eventBatch(epoch, first, 1000))
    await ingest.idle()
    const deps = { store, bus, clock: systemClock, log: silentLog }
    const first = makeRunner([projector], deps)
    await first.start(signal)
    t.ok(seen.length < total / 2, `started with ${seen.length} of ${total} worked up`)
    await begun.promise
    await first.stop()
    const atStop = seen.length
    t.ok(atStop < total / 2, `stopped with ${atStop} of ${total} worked up`)
    await turn()
    t.equal(seen.length, atStop, 'a stop waits for the step that runs, and none follows')
    const second = makeRunner([projector], deps)
    await second.start(signal)
    await done.promise
    await second.stop()
    t.same(
      seen,
      Array.from({ length: total }, (_, i) => i + 1),
      'each record once, in order',
    )
  },
)

t.test('a record that a worker cannot use becomes a dead letter; the others take effect', async (t) => {
  const { ingest, store, bus, count } = await world(t)
  const used: number[] = []
  const projector: Projector<'events'> = {
    name: 'picky',
    streams: ['events'],
    async project(_sql, records) {
      if (records.some(({ record }) => record.command === 'echo 3')) throw new Error('not this one')
      used.push(...records.map(({ pos }) => pos))
      return []
    },
  }
  await ingest.accept(agent, 'events', eventBatch(newId(), 0, 6))
  await ingest.idle()
  const runner = makeRunner([projector], { store, bus, clock: systemClock, log: silentLog })
  await runner.drain()
  t.same(used, [1, 2, 3, 5, 6])
  t.equal(await count('dead_letters'), 1)
})

t.test('a pass that fails as a whole is tried again without a new commit', async (t) => {
  const { ingest, store, bus } = await world(t)
  const done = Promise.withResolvers<void>()
  let fail = 0
  const project = async () => {
    done.resolve()
    return []
  }
  const projector: Projector<'events'> = { name: 'w', streams: ['events'], project }
  const flaky = {
    ...store,
    tx: ((work) => (fail-- > 0 ? Promise.reject(new Error('full')) : store.tx(work))) as typeof store.tx,
  }
  const clock = { now: Date.now, sleep: () => turn() }
  const runner = makeRunner([projector], { store: flaky, bus, clock, log: silentLog })
  await runner.start(signal)
  await runner.drain()
  fail = 2
  await ingest.accept(agent, 'events', eventBatch(newId(), 0, 1))
  await done.promise
  await runner.stop()
  t.pass('the record reached the worker')
})
