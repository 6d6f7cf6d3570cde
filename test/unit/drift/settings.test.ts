import t, { type Test } from 'tap'
import { controllerConfig } from '../../../controller/config.ts'
import { composePlan, listDecoys, makeDecoyActions } from '../../../controller/decoys/index.ts'
import {
  clearDrift,
  type DriftWish,
  driftOf,
  driftSettingTables,
  driftsOfAgent,
  expireDrift,
  historyOfDrift,
  makeDriftExpiry,
  setDrift,
} from '../../../controller/drift/index.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import { type Drift, mostViews, noDrift } from '../../../shared/schemas/drift.ts'
import { card, host, iso, scan, testFleet } from '../segments/fleet.ts'

const config = controllerConfig.parse({})
const slow: Drift = { seed: 'slow', effects: [{ type: 'latency', form: 'fixed', ms: 120, spread: 0 }] }
const broken: Drift = { seed: 'broken', effects: [{ type: 'error', kind: 'busy', share: 0.1 }] }

async function setUp(t: Test) {
  const fleet = await testFleet(t)
  const { store, clock, ids } = fleet
  for (const statement of driftSettingTables.statements) await store.run(statement)
  await fleet.see(card(), host(10), scan('detail', 40))
  const actions = makeDecoyActions({ config, clock, random: seededRandom('drift') })
  await actions.warm()
  const { decoy, agent } = await store.tx((sql) => actions.deployOne(sql, ids.segment, 'a test'))
  const set = (more: Partial<DriftWish> = {}) =>
    store.tx((sql) => setDrift(sql, { decoy, drift: slow, by: 'admin', reason: 'a test', at: iso(60), ...more }))
  const planned = async () => {
    const plan = await composePlan(store, agent, { config, neverBlock: async () => [], drifts: driftsOfAgent })
    return plan.decoys.find(({ id }) => id === decoy)?.drift
  }
  return { ...fleet, actions, decoy, agent, set, planned }
}

t.test('drift that is set stands in the plan, that of one source beside it, until it is cleared', async (t) => {
  const { store, decoy, agent, set, planned } = await setUp(t)
  t.equal(await planned(), undefined)
  t.match(await set(), { agent, settings: [{ by: 'admin', drift: slow }] })
  await set({ source: '198.18.1.66', drift: broken })
  await set({ source: '198.18.1.5', drift: null })
  const wanted = {
    everyone: slow,
    views: [
      { source: '198.18.1.5', drift: null },
      { source: '198.18.1.66', drift: broken },
    ],
  }
  t.strictSame(await planned(), wanted)
  t.strictSame(await driftOf(store, decoy), wanted)
  const clear = (of: Parameters<typeof clearDrift>[1]['of']) =>
    store.tx((sql) => clearDrift(sql, { decoy, of, at: iso(90), why: 'enough' }))
  t.match(await clear('everyone'), { agent, settings: [{ drift: slow }] })
  t.strictSame(
    await planned(),
    { everyone: null, views: [{ source: '198.18.1.66', drift: broken }] },
    'no drift for one is nothing beside no drift for all',
  )
  await clear({ source: '198.18.1.66' })
  t.equal(await planned(), undefined, 'a view without drift alone is not in the plan')
  await clear('all')
  t.strictSame(await driftOf(store, decoy), noDrift)
  t.strictSame((await clear('all')).settings, [])
})

t.test('what replaced what, who asked for it and why is kept', async (t) => {
  const { store, decoy, set } = await setUp(t)
  await set()
  await set({ drift: broken, at: iso(70), reason: 'another' })
  t.match(await historyOfDrift(store, decoy), [
    { drift: broken, reason: 'another', at: iso(70), endedAt: undefined },
    { drift: slow, reason: 'a test', at: iso(60), endedAt: iso(70), endedWhy: 'replaced by admin' },
  ])
})

t.test('adaptation leaves alone what an administrator set', async (t) => {
  const { set } = await setUp(t)
  await set({ by: 'adaptation' })
  await set({ by: 'adaptation', drift: broken })
  await set({ by: 'admin' })
  await t.rejects(set({ by: 'adaptation' }), { code: 'CONFLICT', message: /an administrator set the drift/ })
  await set({ by: 'adaptation', source: '198.18.1.66' })
})

t.test('what an administrator sets for everyone is met by those too for whom adaptation chose otherwise', async (t) => {
  const { store, decoy, set, planned } = await setUp(t)
  await set({ by: 'adaptation', source: '198.18.1.66', drift: broken })
  await set({ by: 'adaptation', source: '198.18.1.5', drift: null })
  await set()
  t.strictSame(await planned(), { everyone: slow, views: [] })
  await store.tx((sql) => clearDrift(sql, { decoy, of: 'everyone', at: iso(90), why: 'enough' }))
  t.strictSame(await planned(), { everyone: null, views: [{ source: '198.18.1.66', drift: broken }] }, 'it is back')
})

t.test('what would make a decoy useless is refused, and says which value', async (t) => {
  const { set, planned } = await setUp(t)
  const of = (...effects: Drift['effects']) => ({ drift: { seed: 's', effects } })
  const error = (share: number) => ({ type: 'error', kind: 'busy', share }) as const
  await t.rejects(set(of(error(0.2), error(0.15))), {
    code: 'DRIFT_UNUSABLE',
    message: /errors add up to 0\.35.*at most 0\.3/,
  })
  await t.rejects(set(of(error(0.4))), { message: /share is 0\.4: / })
  await t.rejects(set(of({ type: 'latency', form: 'fixed', ms: 4000, spread: 0 })), { message: /ms is 4000: / })
  const hours = (from: number) => ({ type: 'schedule', hours: [0, 1, 2, 3, 4].map((n) => from + n) }) as const
  await t.rejects(set(of({ ...hours(0), hours: [0, 1, 2, 3, 4] }, { ...hours(9), hours: [9, 10, 11, 12] })), {
    message: /silent 9 hours a day; at most 8/,
  })
  await t.rejects(set({ drift: null }), { code: 'USAGE' })
  t.equal(await planned(), undefined)
  await set(of(error(0.1), error(0.2)))
  t.match(await planned(), { everyone: { effects: [{ share: 0.1 }, { share: 0.2 }] } }, 'the bound itself is allowed')
})

t.test('a decoy has so many views and no more; a retired or unknown one has none', async (t) => {
  const { set, store, decoy, actions, clock, ids } = await setUp(t)
  for (let n = 0; n < mostViews; n++) await set({ source: `198.19.${n >> 7}.${n & 127}`, drift: broken })
  await t.rejects(set({ source: '198.19.9.9' }), { code: 'CONFLICT', message: /256 views/ })
  await set({ source: '198.19.0.1', drift: slow })
  await store.tx((sql) => actions.retire(sql, decoy, 'a test'))
  await t.rejects(set(), { code: 'CONFLICT', message: /is retired/ })
  await t.rejects(set({ decoy: ids.agent }), { code: 'NOT_FOUND' })
  t.strictSame(await store.tx((sql) => expireDrift(sql, new Date(clock.now()).toISOString())), [ids.agent])
  t.match(await historyOfDrift(store, decoy, 1), [{ endedWhy: 'the decoy was retired' }])
})

t.test('drift ends when its time is over, and the plan changes by that', async (t) => {
  const { store, decoy, agent, set, planned, clock } = await setUp(t)
  await set({ until: new Date(clock.now() + 1000).toISOString() })
  await set({ source: '198.18.1.66' })
  const bus = makeBus()
  const told: unknown[] = []
  bus.on('plan-changed', ({ agents }) => told.push(agents))
  const expiry = makeDriftExpiry({ store, bus, clock, log: silentLog })
  await expiry.start(new AbortController().signal)
  t.teardown(() => expiry.stop())
  const gone = new Promise<void>((resolve) =>
    bus.on('plan-changed', ({ agents }) => agents !== 'all' && agents.length > 0 && resolve()),
  )
  clock.move(2)
  bus.emit({ name: 'plan-changed', agents: [] })
  await gone
  t.strictSame(told, [[], [agent]])
  t.match(await planned(), { everyone: null, views: [{ source: '198.18.1.66' }] })
  t.match(
    (await historyOfDrift(store, decoy)).find(({ source }) => !source),
    { endedWhy: 'its time was over' },
  )
  t.equal((await listDecoys(store)).length, 1)
})
