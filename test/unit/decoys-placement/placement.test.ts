import t, { type Test } from 'tap'
import { type ControllerConfig, parseConfig } from '../../../controller/config.ts'
import {
  composePlan,
  listDecoys,
  makeDecoyActions,
  makePlacement,
  readDecoy,
} from '../../../controller/decoys/index.ts'
import {
  inconsistencies,
  loadOuis,
  readCatalogue,
  readPersona,
  versionsOf,
} from '../../../controller/personas/index.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import type { BusEvent } from '../../../controller/work/port.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { plan as planSchema } from '../../../shared/schemas/desired-state.ts'
import { card, cidr, host, iso, scan, testFleet } from '../segments/fleet.ts'

async function setUp(t: Test, settings: object = {}) {
  const fleet = await testFleet(t)
  const config: ControllerConfig = parseConfig(
    JSON.stringify({ decoys: settings, scan: { ranges: ['198.18.1.0/25'] } }),
    'config.json',
  )
  const bus = makeBus()
  const changes: BusEvent[] = []
  bus.on('plan-changed', (event) => changes.push(event))
  const notices: string[] = []
  const actions = makeDecoyActions({ config, clock: fleet.clock, random: systemRandom })
  const placement = makePlacement({
    config,
    store: fleet.store,
    bus,
    clock: fleet.clock,
    log: silentLog,
    actions,
    notify: ({ code }) => notices.push(code),
  })
  return { ...fleet, config, bus, changes, notices, actions, placement }
}

const inventoried = [card(), ...[10, 11, 12, 14, 15].map((n) => host(n)), scan('quick', 5), scan('detail', 40)]

t.test('a segment with an appliance and an inventory gets its decoys, and the plan holds them whole', async (t) => {
  const { see, placement, store, ids, changes, config, clock } = await setUp(t)
  await see(...inventoried)
  await placement.pass()
  const decoys = await listDecoys(store)
  t.equal(decoys.length, 3)
  t.same(changes, [{ name: 'plan-changed', agents: [ids.agent] }])
  const taken = [
    '198.18.1.0',
    '198.18.1.1',
    '198.18.1.2',
    '198.18.1.3',
    '198.18.1.255',
    ...[10, 11, 12, 14, 15].map((n) => `198.18.1.${n}`),
  ]
  for (const { ip, mac } of decoys) {
    t.notOk(taken.includes(ip), ip)
    t.match(mac, /^00:(50:56|0c:29):/, 'the vendor of the neighbours')
  }
  t.equal(new Set(decoys.map(({ ip }) => ip)).size, 3)
  t.equal(new Set(decoys.map(({ hostname }) => hostname)).size, 3)
  for (const { hostname } of decoys) t.match(hostname, /^web1[36789]$|^web[23]\d$/)
  const body = await composePlan(store, ids.agent, { config, neverBlock: async () => ['198.18.1.1/32'] })
  const document = { kind: 'plan', agent: ids.agent, revision: 1, issuedAt: iso(0), expiresAt: iso(60), ...body }
  t.equal(planSchema.safeParse(document).success, true)
  t.same(body.scan.ranges, ['198.18.1.0/25'])
  t.same(body.scan.decoyMacs, decoys.map(({ mac }) => mac).sort())
  const [catalogue, ouis] = [readCatalogue(), await loadOuis()]
  for (const persona of body.personas) t.same(inconsistencies(persona, catalogue, ouis, clock.now()), [])
  t.same(await composePlan(store, ids.agent, { config, neverBlock: async () => ['198.18.1.1/32'] }), body)
  await placement.pass()
  t.equal(changes.length, 1, 'a second look changes nothing')
})

t.test('with a quick pass only, one decoy comes after the wait and the others with the details', async (t) => {
  const { see, placement, store, clock } = await setUp(t, { waitForDetailSeconds: 20 })
  await see(card(), host(10, { depth: 'quick', ports: [], os: [] }), scan('quick', 5))
  clock.move(10)
  await placement.pass()
  t.equal((await listDecoys(store)).length, 0)
  clock.move(20)
  await placement.pass()
  t.equal((await listDecoys(store)).length, 1)
  await see(scan('detail', 60))
  await placement.pass()
  t.equal((await listDecoys(store)).length, 3)
})

t.test(
  'a decoy whose address a host claims gets another one, three times, then the segment is left alone',
  async (t) => {
    const { see, tell, placement, store, clock } = await setUp(t, { perSegment: 1 })
    await see(...inventoried)
    await placement.pass()
    const [first] = await listDecoys(store)
    if (!first) throw new Error('no decoy')
    const seen = [first.ip]
    for (let i = 1; i <= 4; i++) {
      const current = await readDecoy(store, first.id)
      clock.move(60)
      const events = await tell({
        type: 'decoy',
        at: new Date(clock.now()).toISOString(),
        decoy: first.id,
        revision: i,
        phase: 'withdrawn',
        cidr,
        ip: current?.ip ?? '',
        attempts: 1,
        restarts: 0,
        reason: 'a host claims the address',
      })
      t.match(events, [{ name: 'segment-changed' }])
      await placement.pass()
      await placement.pass()
      const after = await readDecoy(store, first.id)
      if (i <= 3) {
        t.equal(after?.status, 'wanted')
        t.equal(after?.mac, first.mac)
        t.notOk(seen.includes(after?.ip ?? ''), 'an address that it had is not taken again')
        seen.push(after?.ip ?? '')
      } else t.equal(after?.status, 'retired')
    }
    t.equal((await listDecoys(store)).length, 0)
    clock.move(3700)
    await placement.pass()
    t.equal((await listDecoys(store)).length, 1)
  },
)

t.test('no free address is told once and crashes nothing', async (t) => {
  const { see, placement, store, notices, clock } = await setUp(t, { ranges: ['198.18.1.10/31'] })
  await see(...inventoried)
  await placement.pass()
  await placement.pass()
  t.same(notices, ['NO_FREE_ADDRESS'])
  t.equal((await listDecoys(store)).length, 0)
  clock.move(601)
  await placement.pass()
  t.equal(notices.length, 2)
})

t.test('a decoy is reconfigured as it stands: same address, next version, history kept', async (t) => {
  const { see, placement, store, actions } = await setUp(t, { perSegment: 1 })
  await see(...inventoried)
  await placement.pass()
  const [decoy] = await listDecoys(store)
  if (!decoy) throw new Error('no decoy')
  const done = await store.tx((sql) => actions.reconfigure(sql, decoy.id, 'risk of 198.18.9.9 is 70'))
  const after = await readDecoy(store, decoy.id)
  t.match(after, { ip: decoy.ip, mac: decoy.mac, persona: decoy.persona, personaVersion: 2 })
  t.match(done, { personaVersion: 2, what: /.+/, because: 'risk of 198.18.9.9 is 70' })
  t.same(
    (await versionsOf(store, decoy.persona)).map(({ version }) => version),
    [1, 2],
  )
  const [one, two] = [await readPersona(store, decoy.persona, 1), await readPersona(store, decoy.persona)]
  t.notSame(one, two)
  t.match(two?.reasons.at(-1)?.because, /198\.18\.9\.9/)
})

t.test('responses may go to the limit of the segment and not past it', async (t) => {
  const { see, placement, store, actions, ids } = await setUp(t, { perSegment: 1, maxPerSegment: 2 })
  await see(...inventoried)
  await placement.pass()
  await store.tx((sql) => actions.deployOne(sql, ids.segment, 'risk'))
  await t.rejects(
    store.tx((sql) => actions.deployOne(sql, ids.segment, 'risk')),
    { code: 'CONFLICT' },
  )
  await placement.pass()
  t.equal((await listDecoys(store)).length, 2, 'placement leaves what a response made')
})

t.test('decoys come and go at random times within the limits', async (t) => {
  const { see, placement, store, clock } = await setUp(t, { rotation: { minHours: 1, maxHours: 2 } })
  await see(...inventoried)
  await placement.pass()
  const before = await listDecoys(store)
  for (const { retireAt } of before) {
    const hours = (Date.parse(retireAt ?? '') - clock.now()) / 3_600_000
    t.ok(hours >= 1 && hours <= 2, `${hours}`)
  }
  clock.move(2 * 3600)
  await placement.pass()
  const after = await listDecoys(store)
  t.equal(after.length, 3)
  t.notOk(after.some(({ id }) => before.some((one) => one.id === id)))
})

t.test('the part wakes when a segment changes and stops at once', async (t) => {
  const { see, placement, store, bus, ids, changes } = await setUp(t)
  await placement.start(new AbortController().signal)
  const changed = new Promise((resolve) => bus.on('plan-changed', resolve))
  await see(...inventoried)
  bus.emit({ name: 'segment-changed', segment: ids.segment })
  await changed
  await placement.stop()
  t.equal((await listDecoys(store)).length, 3)
  t.equal(changes.length, 1)
})
