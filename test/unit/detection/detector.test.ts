import t, { type Test } from 'tap'
import { baselineOf } from '../../../controller/baselines/index.ts'
import { readScores, readStandings } from '../../../controller/detection/index.ts'
import { expectedProfile, setDrift } from '../../../controller/drift/index.ts'
import { driftMark } from '../../../shared/drift-mark.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { Drift } from '../../../shared/schemas/drift.ts'
import { calm, drawProfile, type Truth } from '../../drift/simulated-profiles.ts'
import { makeWorld } from './world.ts'

type World = Awaited<ReturnType<typeof makeWorld>>

const drawn = (truth: Truth, seed: string) => drawProfile(truth, 20, seededRandom(seed))
const calmly = (world: World) => (decoy: number, i: number) =>
  world.window(decoy, drawn(calm, `${decoy}/${i}/${world.at()}`))
const slower: Truth = { ...calm, delayMs: calm.delayMs * 3 }

async function calmWorld(t: Test, decoys = 4): Promise<World> {
  const world = await makeWorld(`${t.testdir()}/db.sqlite`, decoys)
  t.teardown(() => world.close())
  await world.pass(240, calmly(world))
  return world
}
const openAlerts = (world: World) =>
  world
    .store()
    .all<{ subject: string; severity: string; title: string; reasons: string; score: number }>(
      `SELECT * FROM alerts WHERE kind = 'drift' AND status <> 'closed'`,
    )
const health = (world: World, cpuPercent: number) => ({
  type: 'health',
  at: world.at(),
  cpuPercent,
  agentRssMb: 80,
  spoolMb: 0,
  spoolDepth: {},
  probes: {},
})

// On a machine that others load it takes longer than tap waits by itself.
t.setTimeout(180_000)

t.test(
  'one decoy that moves alone: an alert with the numbers and the next step, and evidence against who was there',
  async (t) => {
    const world = await calmWorld(t)
    await world.look()
    t.same(await openAlerts(world), [])
    await world.pass(60, (decoy, i) =>
      decoy === 1 ? world.window(1, drawn(slower, `slow/${i}`)) : calmly(world)(decoy, i),
    )
    for (const [i, [source, audit]] of [
      ['203.0.113.9', null],
      ['203.0.113.10', 'run'],
      ['198.18.1.2', null],
    ].entries())
      await world
        .store()
        .run(
          `INSERT INTO sessions (agent, decoy, session, service, source, dst_port, first_at, last_at, audit) VALUES (?, ?, ?, 'http', ?, 80, ?, ?, ?)`,
          world.agent,
          world.decoys[1] ?? '',
          `s${i}`,
          source ?? '',
          world.at(),
          world.at(),
          audit ?? null,
        )
    const found = await world.look()
    t.equal(found.filter(({ score }) => score > 0).length, 1)
    const moved = found.find(({ decoy }) => decoy === world.decoys[1])
    t.match(moved, { cause: 'interference', top: { feature: 'response.delay', port: 80 } })
    const [alert, ...others] = await openAlerts(world)
    t.same(others, [])
    t.match(alert, { subject: world.decoys[1], severity: 'high', title: /web-1 behaves otherwise/ })
    t.match(
      alert?.reasons,
      /web-1: response\.delay of http \(port 80\): half below .* expected; score .*marshlight drift explain/,
    )
    const evidence = await world.store().all('SELECT source, evidence, count FROM risk_evidence')
    t.strictSame(
      evidence.map((row) => ({ ...row })),
      [{ source: '203.0.113.9', evidence: 'drift.interference', count: 1 }],
    )

    await world.look()
    t.equal((await world.store().all('SELECT * FROM behaviours')).length, 1, 'the same alert weighs once')
    await world.pass(65, calmly(world))
    await world.look()
    t.same(await openAlerts(world), [], 'it ends by itself')
    const scores = await readScores(world.store(), { since: '2026', decoy: world.decoys[1], limit: 10 })
    t.ok(scores.some(({ score, plain }) => score > 50 && (plain ?? 0) > 0))
    t.equal(scores[0]?.score, 0)
  },
)

t.test(
  'all of a segment slower: the network, or the appliance where its health says so; nobody is blamed',
  async (t) => {
    for (const [cpu, cause, subject] of [
      [20, 'network', 'segment'],
      [98, 'shortage', 'agent'],
    ] as const) {
      const world = await calmWorld(t)
      await world.pass(60, (decoy, i) => world.window(decoy, drawn(slower, `slow/${decoy}/${i}`)))
      await world.commit(
        'health',
        Array.from({ length: 20 }, () => health(world, cpu)),
      )
      const found = await world.look()
      t.strictSame(
        found.map((one) => one.cause),
        Array(4).fill(cause),
      )
      const alerts = await openAlerts(world)
      t.equal(alerts.length, 1)
      t.match(alerts, [{ subject: world[subject], severity: 'warning' }])
      t.same(await world.store().all('SELECT * FROM risk_evidence'), [])
    }
  },
)

t.test(
  'what was done on purpose is expected; beyond it is not, and under a mark that nobody knows nothing is said',
  async (t) => {
    const world = await calmWorld(t, 1)
    const drift: Drift = { seed: 's', effects: [{ type: 'latency', form: 'fixed', ms: 100, spread: 0 }] }
    const mark = driftMark({ everyone: drift, views: [] })
    const drifted = (i: number, truth: Truth) =>
      world.window(0, expectedProfile(drawn(truth, `d/${i}`), drift), { drift: mark })
    await world.pass(60, (_, i) => drifted(i, calm))
    t.same(await world.look(), [], 'its mark is not known')
    await world
      .store()
      .tx((sql) => setDrift(sql, { decoy: world.decoys[0] ?? '', drift, by: 'admin', reason: 'test', at: world.at() }))
    t.match(await world.look(), [{ score: 0 }])
    await world.pass(60, (_, i) => drifted(i, slower))
    t.match(await world.look(), [{ top: { feature: 'response.delay' }, cause: 'unclear' }])
  },
)

t.test(
  'what a decoy does while it behaves otherwise does not become what is expected, unless it goes on for a day',
  async (t) => {
    const world = await calmWorld(t, 1)
    await world.look()
    const known = async () => {
      const { profile } = await baselineOf(world.store(), { decoy: world.decoys[0] ?? '', port: 80 })
      return profile['response.delay']?.form === 'sample' ? profile['response.delay'].n : 0
    }
    const hour = async () => {
      await world.pass(60, (_, i) => world.window(0, drawn(slower, `slow/${i}/${world.at()}`)))
      return (await world.look())[0]
    }
    await hour()
    const before = await known()
    t.match(await hour(), { cause: 'unclear' })
    t.equal(await known(), before, 'nothing was learned in the second hour')
    for (let i = 0; i < 23; i++) await hour()
    t.ok((await known()) > before, 'it is how it is now')
  },
)

t.test(
  'a young decoy is held against what was before the hour that is looked at, of which its baseline is full',
  async (t) => {
    const world = await makeWorld(`${t.testdir()}/db.sqlite`, 1)
    t.teardown(() => world.close())
    await world.pass(150, calmly(world))
    await world.pass(60, (_, i) => world.window(0, drawn(slower, `slow/${i}`)))
    const [moved] = await world.look()
    t.match(moved, { top: { feature: 'response.delay' } })
    t.ok((moved?.score ?? 0) > 80, `${moved?.score}: three times as long leaves nearly all answers behind`)
  },
)

t.test('what the streams found is over when it is over, and the way back is no drift', async (t) => {
  const world = await calmWorld(t, 1)
  await world.pass(400, calmly(world))
  await world.look()
  const slow = (_: number, i: number) => world.window(0, drawn(slower, `slow/${i}/${world.at()}`))
  for (let hours = 0; hours < 3; hours++) {
    await world.pass(60, slow)
    t.match(await world.look(), [{ cause: 'unclear' }])
  }
  t.not((await world.store().all('SELECT * FROM drift_changes')).length, 0, 'a stream found it, too')
  for (let hours = 0; hours < 3; hours++) {
    await world.pass(65, calmly(world))
    t.match(await world.look(), [{ score: 0 }])
  }
  t.same(await openAlerts(world), [])
})

t.test('a slow change that no hour shows is found by the streams, and a restart loses nothing', async (t) => {
  const world = await makeWorld(`${t.testdir()}/db.sqlite`, 1)
  t.teardown(() => world.close())
  const creeping = (i: number): Truth => ({ ...calm, delayMs: calm.delayMs * (1 + Math.max(0, i - 60) / 300) })
  await world.pass(5 * 80, (_, i) => world.window(0, drawn(creeping(i), `c/${i}`)))
  await world.restart()
  await world.pass(5 * 60, (_, i) => world.window(0, drawn(creeping(80 + i), `c/${80 + i}`)))
  const changes = await world
    .store()
    .all<{ feature: string; before: number; now: number }>('SELECT * FROM drift_changes')
  t.ok(
    changes.length > 0 && changes.every(({ feature, before, now }) => feature === 'response.delay' && now > before),
    JSON.stringify(changes),
  )
  await world.look()
  const [standing] = await readStandings(world.store(), world.decoys[0] ?? '')
  t.ok(standing?.findings.some(({ feature, significant }) => feature === 'response.delay' && significant))
})
