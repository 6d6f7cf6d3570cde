import t, { type Test } from 'tap'
import { makeSafety } from '../../agent/safety/index.ts'
import { alertTables, listAlerts, makeStateProjector, makeWatch } from '../../controller/alerts/index.ts'
import { parseConfig } from '../../controller/config.ts'
import {
  composePlan,
  listDecoys,
  makeDecoyActions,
  makeDecoyStateProjector,
  makePlacement,
} from '../../controller/decoys/index.ts'
import { riskTables } from '../../controller/risk/index.ts'
import { makeBus } from '../../controller/work/bus.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import { plan as planSchema } from '../../shared/schemas/desired-state.ts'
import { makePlace, type Told } from '../unit/decoys/place.ts'
import { card, host, iso, scan, testFleet } from '../unit/segments/fleet.ts'

const unsafe = '{"tried": 30, "succeeded": ["udp: a datagram left for 198.19.255.254:9"]}'

/**
 * Both sides of a segment with one decoy: the agent's decoys and its tries on an engine in memory, the controller's
 * projectors, placement and plans on a real database. What the engine would say of a try is given; all else is the product.
 */
async function bothSides(t: Test) {
  const fleet = await testFleet(t, [alertTables, riskTables])
  const { store, ids } = fleet
  const config = parseConfig('{"decoys":{"perSegment":1,"services":false}}', 'config.json')
  const bus = makeBus()
  const deps = { config, store, bus, clock: systemClock, random: systemRandom, log: silentLog }
  const actions = makeDecoyActions(deps)
  const placement = makePlacement({ ...deps, actions })
  const place = await makePlace(t, '198.18.1')
  const { decoys } = place
  let revision = 0
  /** Composes the plan and has the agent follow it; all of it came true or failed when this resolves. */
  async function follow() {
    const from = place.records.length
    const body = await composePlan(store, ids.agent, { config, neverBlock: async () => [] })
    const head = { kind: 'plan', agent: ids.agent, issuedAt: iso(0), expiresAt: '2036-03-01T00:00:00Z' }
    decoys.applyPlan(planSchema.parse({ ...head, revision: ++revision, ...body }))
    await place.reported((record) => record.type === 'document' && record.revision === revision, from)
    await deliver()
  }
  const projectors = [makeDecoyStateProjector(), makeStateProjector(deps)]
  let delivered = 0
  const changed: string[] = []
  async function deliver() {
    const records = place.records.slice(delivered)
    delivered = place.records.length
    for (const projector of projectors)
      for (const event of await store.tx((sql) =>
        projector.project(
          sql,
          records.map((record, i) => ({
            pos: delivered + i,
            agent: ids.agent,
            stream: 'state' as const,
            receivedAt: record.at,
            record,
          })),
        ),
      ))
        changed.push(event.name)
  }
  let says = '{"tried": 30, "succeeded": []}'
  const { engine } = place
  const verdicts = new Set<(is: string) => void>()
  const safety = makeSafety({
    engine: { containers: engine.containers, exec: async () => ({ exitCode: 0, output: says }) },
    report: async (_, records) => void place.records.push(...(records as unknown as Told[])),
    clock: systemClock,
    log: silentLog,
    decoys: () => decoys.standing(),
    takeDown: decoys.takeDown,
    everySeconds: 0,
    lookEveryMs: 10,
    onVerdict: (container, { is }) => {
      if (container.endsWith('-cowrie')) for (const hear of verdicts) hear(is)
    },
  })
  const judged = (wanted: string) =>
    new Promise<void>((resolve) => {
      const hear = (is: string) => {
        if (is === wanted && verdicts.delete(hear)) resolve()
      }
      verdicts.add(hear)
    })
  await fleet.see(card(), host(10), host(11), scan('quick', 5), scan('detail', 10))
  await placement.pass()
  await decoys.start(new AbortController().signal)
  await follow()
  await safety.start(new AbortController().signal)
  t.teardown(() => safety.stop())
  const watch = makeWatch(deps)
  const alerts = () => listAlerts(store, { limit: 9 })
  return {
    ...fleet,
    ...place,
    actions,
    placement,
    follow,
    deliver,
    judged,
    watch,
    alerts,
    changed,
    say(output: string) {
      says = output
    },
  }
}

// The alarm is for what hangs; a busy machine takes its time.
t.setTimeout(120_000)

t.test('an unsafe decoy stays down whatever changes, until an administrator releases it', async (t) => {
  const both = await bothSides(t)
  const { store, actions, placement, follow, deliver, judged, memory, alerts, watch } = both
  const [decoy] = await listDecoys(store)
  if (!decoy) throw new Error('no decoy')
  const running = () => memory.standing().filter((one) => one.running)
  t.not(running().length, 0)
  await judged('safe')
  both.say(unsafe)
  await judged('unsafe')
  both.say('{"tried": 30, "succeeded": []}')
  await both.reported((record) => record.type === 'decoy' && record.phase === 'condemned')
  await deliver()
  t.ok(both.changed.includes('plan-changed'), 'its plan says so from now on')
  const [one, ...others] = await alerts()
  t.same(others, [])
  t.match(one, {
    kind: 'unsafe-decoy',
    subject: decoy.id,
    severity: 'critical',
    status: 'open',
    reasons: [
      /a datagram left for 198\.19\.255\.254:9/,
      /stays down/,
      new RegExp(`marshlight decoys release ${decoy.hostname}`),
    ],
  })

  // Placement looks, the decoy gets another address and another version, the plan is made anew again and again.
  await placement.pass()
  await follow()
  t.match(await listDecoys(store), [{ id: decoy.id, ip: decoy.ip, tries: 0, status: 'wanted' }])
  await store.tx((sql) => actions.move(sql, decoy.id, 'a test', 'admin'))
  await placement.pass()
  await follow()
  await store.tx((sql) => actions.reconfigure(sql, decoy.id, 'a test', 'admin'))
  await placement.pass()
  await follow()
  await watch.look()
  t.same(running(), [])
  t.match(await alerts(), [{ id: one?.id, status: 'open' }])

  await store.tx((sql) => actions.release(sql, decoy.id, 'mended'))
  await follow()
  await judged('safe')
  await watch.look()
  t.not(running().length, 0)
  t.match(await alerts(), [{ id: one?.id, status: 'closed', ended_why: 'an administrator released it' }])
  await t.rejects(
    store.tx((sql) => actions.release(sql, decoy.id, 'again')),
    { code: 'CONFLICT' },
  )
})
