import t from 'tap'
import { listAlerts, makeWatch } from '../../../controller/alerts/index.ts'
import { decoyA, enrol, makeChain } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'

const minute = 60_000
const all = { limit: 100 }
const at = (afterMs: number) => new Date(startMs + afterMs).toISOString()

t.test('a decoy that gave its address up has its time to be ready anew', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.store.run(`UPDATE agents SET presence = 'online', presence_at = ?, last_seen = ?`, at(0), at(3_600_000))
  const watch = makeWatch(chain.deps)
  const tell = (phase: string) =>
    chain.feed('state', [
      {
        type: 'decoy',
        at: at(chain.clock.now() - startMs),
        decoy: decoyA,
        revision: 1,
        phase,
        attempts: 0,
        restarts: 0,
      },
    ])
  const open = () => listAlerts(chain.store, { ...all, status: 'open' })
  await tell('ready')
  chain.clock.advance(10 * minute)
  await tell('failing')
  chain.clock.advance(30_000)
  for (const phase of ['withdrawn', 'waiting', 'creating']) {
    await tell(phase)
    await watch.look()
    t.same(await open(), [], phase)
    chain.clock.advance(15_000)
  }
  chain.clock.advance(29_000)
  await watch.look()
  t.same(await open(), [], 'a minute less a second after it left')
  chain.clock.advance(1_000)
  await watch.look()
  t.match(await open(), [{ kind: 'dead-decoy', reasons: [`not ready since ${at(10 * minute + 45_000)}`] }])
})

t.test('a decoy that was unsafe has one alert of its own, and its time to be ready when it was released', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.store.run(`UPDATE agents SET presence = 'online', presence_at = ?, last_seen = ?`, at(0), at(3_600_000))
  const watch = makeWatch(chain.deps)
  const tell = (phase: string, more: object = {}) =>
    chain.feed('state', [
      {
        ...{ type: 'decoy', at: at(chain.clock.now() - startMs), decoy: decoyA, revision: 1, phase },
        ...{ attempts: 0, restarts: 0, reason: 'a way out', ...more },
      },
    ])
  const open = async () => (await listAlerts(chain.store, { ...all, status: 'open' })).map(({ kind }) => kind)
  await tell('condemned')
  chain.clock.advance(10 * minute)
  await tell('condemned')
  await watch.look()
  t.same(await open(), ['unsafe-decoy'])
  await chain.store.run(
    'UPDATE decoys SET condemned_at = NULL, releases = 1, changed_at = ?',
    at(chain.clock.now() - startMs),
  )
  await tell('condemned')
  await watch.look()
  t.same(await open(), [], 'what was told before the release counts no more')
  chain.clock.advance(30_000)
  await tell('creating', { releases: 1 })
  chain.clock.advance(59_000)
  await watch.look()
  t.same(await open(), [])
  await tell('condemned', { releases: 1 })
  await watch.look()
  t.same(await open(), ['unsafe-decoy'])
  await chain.store.run(`UPDATE decoys SET status = 'retired'`)
  await watch.look()
  t.same(await open(), [])
})

t.test('a decoy that is not ready for a minute alerts, whatever phases it goes through, until it is', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.store.run(`UPDATE agents SET presence = 'online', presence_at = ?, last_seen = ?`, at(0), at(600_000))
  const watch = makeWatch(chain.deps)
  const state = (phase: string) => ({
    type: 'decoy',
    at: at(0),
    decoy: decoyA,
    revision: 1,
    phase,
    attempts: 1,
    restarts: 0,
    reason: 'no image',
  })
  const open = () => listAlerts(chain.store, { ...all, status: 'open' })
  await chain.feed('state', [state('creating')])
  chain.clock.advance(59_000)
  await chain.feed('state', [state('failing')])
  await watch.look()
  t.same(await open(), [])
  chain.clock.advance(1_000)
  await watch.look()
  await watch.look()
  t.match(await open(), [
    {
      kind: 'dead-decoy',
      subject: decoyA,
      title: 'decoy web-07 (198.18.1.50) is failing',
      count: 1,
      reasons: [/not ready since/, 'no image'],
    },
  ])
  await chain.feed('state', [state('ready')])
  t.same(await open(), [])
  await chain.feed('state', [state('failing')])
  chain.clock.advance(60_000)
  await watch.look()
  t.equal((await open()).length, 1)
  await chain.store.run(`UPDATE decoys SET status = 'retired'`)
  await watch.look()
  t.same(await open(), [], 'a retired one is not missed')
})

t.test('a decoy that its agent never told of alerts too, unless the agent is away itself', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  const watch = makeWatch(chain.deps)
  chain.clock.advance(60_000)
  await watch.look()
  t.same(await listAlerts(chain.store, all), [])
  await chain.store.run(`UPDATE agents SET presence = 'online', presence_at = ?, last_seen = ?`, at(0), at(60_000))
  await watch.look()
  t.match(await listAlerts(chain.store, all), [{ kind: 'dead-decoy', title: /not heard of/ }])
})
