import t from 'tap'
import { driftReport, explain } from '../../../controller/adaptation/index.ts'
import { driftOf, inForce, setDrift } from '../../../controller/drift/index.ts'
import { always, drifted, given, visits } from './told.ts'
import { decoys, makeWorld, minute, type World } from './world.ts'

const [decoy, other] = decoys
const source = '203.0.113.9'

const learned = async (world: World) =>
  (await world.store.get<{ n: number }>('SELECT COALESCE(SUM(n), 0) AS n FROM adaptation_beliefs'))?.n

t.test('a session begins: its source gets a view, at every decoy the same, and it is learned from once', async (t) => {
  const world = makeWorld(t, always)
  await world.prepare()
  const ip = await drifted(world)
  const view = (await driftOf(world.store, decoy)).views.find((one) => one.source === ip)
  t.match(view?.drift?.effects, [{ type: 'latency' }])
  t.match(world.heard.at(-1), { name: 'plan-changed' })
  const count = (await given(world)).length
  await world.feed([world.event(ip, 'session.open', { session: 'two', decoy: other })])
  const there = (await driftOf(world.store, other)).views.find((one) => one.source === ip)
  t.same(there?.drift, view?.drift, 'one machine')
  t.equal((await given(world)).length, count, 'no second assignment')

  world.clock.advance(2000)
  await world.feed([world.event(ip, 'login.success'), world.event(ip, 'command', { command: 'id' })])
  world.clock.advance(60_000)
  const felt = { source: 'marshlight.drift', data: { type: 'latency', what: 'jitter', count: 3, ms: 30 } }
  await world.feed([
    world.event(ip, 'command', { command: 'w' }),
    world.event(ip, 'other', felt),
    world.event(ip, 'session.close'),
  ])
  await world.look()
  t.equal(await learned(world), 0, 'nothing before he has gone')
  world.clock.advance(6 * minute)
  await world.look()
  const all = new Set((await visits(world)).map((one) => one.source)).size
  t.equal(await learned(world), all)
  await world.look()
  await world.restart()
  await world.look()
  t.equal(await learned(world), all, 'once, whatever is restarted')
  const [own] = await world.store.all<{ engagement: number; felt: number; commands: number; seconds: number }>(
    'SELECT * FROM adaptation_visits WHERE source = ? AND decoy = ?',
    ip,
    decoy,
  )
  t.match(own, { commands: 2, seconds: 62, felt: 3 })
  t.ok(Math.abs((own?.engagement ?? 0) - Math.log1p(62 / 60 + 2)) < 1e-9)
  t.match(await explain(world.store, ip, new Date(world.clock.now()).toISOString()), {
    source: ip,
    assignments: [{ class: 'newcomer', arm: 'latency.low', inForce: true, visits: 2 }],
    changes: [{ kind: 'view' }, { kind: 'view' }],
  })
})

t.test('records that come twice, and events of a session that comes in pieces, make one visit', async (t) => {
  const world = makeWorld(t, always)
  await world.prepare()
  const opened = [world.event(source, 'session.open'), world.event(source, 'login.failed', { username: 'root' })]
  await world.feed(opened)
  await world.feed(opened)
  world.clock.advance(minute)
  await world.feed([world.event(source, 'session.open', { session: 'b' })])
  t.match(await visits(world), [{ sessions: 2 }])
  world.clock.advance(6 * minute)
  await world.feed([world.event(source, 'session.open', { session: 'c' })])
  t.match(await visits(world), [
    { sessions: 2, returned: 0 },
    { sessions: 1, returned: 1 },
  ])
  t.equal(await learned(world), 1, 'the first one was ended by the second')
})

t.test('a source is one voice to the bandit, however often it comes', async (t) => {
  const world = makeWorld(t, { ...always, keepHours: 2 })
  await world.prepare()
  const ip = await drifted(world)
  // A bot on a timer: again after each pause, under the same assignment, then under others.
  for (let i = 0; i < 40; i++) {
    world.clock.advance(7 * minute)
    await world.feed([
      world.event(ip, 'session.open', { session: `again ${i}` }),
      world.event(ip, 'command', { command: 'id' }),
    ])
  }
  world.clock.advance(10 * minute)
  await world.look()
  const beliefs = await world.store.all<{ class: string; arm: string; n: number; mean: number; squares: number }>(
    'SELECT * FROM adaptation_beliefs ORDER BY class, arm',
  )
  const voices = await world.store.all<{ class: string; arm: string; source: string; mean: number }>(
    `SELECT a.class, a.arm, a.source, AVG(v.engagement) AS mean FROM adaptation_visits v
     JOIN adaptation_assignments a ON a.id = v.assignment GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  )
  t.ok((await visits(world)).length > 40)
  for (const { class: attackers, arm, n, mean, squares } of beliefs) {
    const own = voices.filter((one) => one.class === attackers && one.arm === arm).map((one) => one.mean)
    t.equal(n, own.length, `${attackers} ${arm}`)
    const middle = own.reduce((sum, one) => sum + one, 0) / own.length
    t.ok(Math.abs(mean - middle) < 1e-9)
    t.ok(Math.abs(squares - own.reduce((sum, one) => sum + (one - middle) ** 2, 0)) < 1e-9)
  }
  t.equal(
    beliefs.reduce((sum, { n }) => sum + n, 0),
    voices.length,
  )
})

t.test('a source that returns after its time is drawn for by what it did', async (t) => {
  const world = makeWorld(t, { ...always, keepHours: 1 })
  await world.prepare()
  await world.feed([world.event(source, 'session.open')])
  await world.feed([world.event(source, 'login.failed', { username: 'root', password: 'x' })])
  world.clock.advance(61 * minute)
  await world.look()
  await world.feed([world.event(source, 'session.open', { session: 'b' })])
  t.same(
    (await given(world)).map((one) => one.class),
    ['newcomer', 'brute-forcer'],
  )
})

t.test('what an administrator set stands, and such sources are in neither group', async (t) => {
  const world = makeWorld(t, always)
  await world.prepare()
  const drift = { seed: 'by hand', effects: [{ type: 'error' as const, kind: 'busy' as const, share: 0.1 }] }
  const at = new Date(world.clock.now()).toISOString()
  await setDrift(world.store, { decoy, source, drift, by: 'admin', reason: 'a test', at })
  await world.feed([world.event(source, 'session.open')])
  await setDrift(world.store, { decoy: other, drift, by: 'admin', reason: 'for all', at })
  await world.feed([world.event('203.0.113.10', 'session.open', { decoy: other })])
  t.same(await given(world), [])
  for (const one of decoys) t.match(await inForce(world.store, one), [{ by: 'admin', drift }])
  t.match(await explain(world.store, source, at), { changes: [{ kind: 'refused', because: /administrator/ }] })

  // It was adaptation's before: from now on it is not touched.
  const ip = await drifted(world)
  await setDrift(world.store, { decoy, source: ip, drift, by: 'admin', reason: 'mine', at })
  for (const command of ['date +%N', 'time ls'])
    await world.feed([world.event(ip, 'login.success'), world.event(ip, 'command', { command })])
  world.clock.advance(2 * minute)
  await world.look()
  t.match(
    (await inForce(world.store, decoy)).find((one) => one.source === ip),
    { by: 'admin', drift },
  )
  world.clock.advance(6 * minute)
  await world.look()
  const own = await world.store.all<{ ended_at: string | null; engagement: number | null }>(
    'SELECT ended_at, engagement FROM adaptation_visits WHERE source = ?',
    ip,
  )
  t.match(own, [{ ended_at: String, engagement: null }], 'and that visit is not learned from')
  const { all } = await driftReport(world.store, {})
  t.equal(all.control.visits + all.adaptive.visits, (await visits(world)).length - 1)
})

t.test('late news, own scanners and retired decoys are no part of it; switched off, all views go', async (t) => {
  const world = makeWorld(t, always)
  await world.prepare()
  const late = world.event(source, 'session.open')
  world.clock.advance(60 * minute)
  await world.feed([late])
  world.exempt('203.0.113.77')
  await world.feed([world.event('203.0.113.77', 'session.open')])
  await world.feed([world.event(source, 'session.open', { session: 'x', decoy: 'gone' })])
  t.same(await given(world), [])
  await drifted(world)
  t.not((await driftOf(world.store, decoy)).views.length, 0)
  await world.restart({ enabled: false })
  await world.look()
  t.same((await driftOf(world.store, decoy)).views, [])
  await world.feed([world.event('203.0.113.200', 'session.open')])
  t.same((await driftOf(world.store, decoy)).views, [])
})

t.test('the report compares groups by what was assigned, one source one voice', async (t) => {
  const world = makeWorld(t, always)
  await world.prepare()
  const insert = async (n: number, grp: string, arm: string, engagements: number[], felt = 0, source = n) => {
    await world.store.run(
      `INSERT INTO adaptation_assignments (id, source, class, grp, arm, shown, seed, because, made_at, until)
       VALUES (?, ?, 'bot', ?, ?, ?, 's', '', '', '')`,
      ...[n, `10.0.0.${source}`, grp, arm, arm],
    )
    for (const engagement of engagements)
      await world.store.run(
        `INSERT INTO adaptation_visits (assignment, source, decoy, opened_at, last_at, seen_at, sessions, tries, successes,
           commands, files, terminal, errors, felt, returned, ended_at, seconds, engagement)
         VALUES (?, ?, 'd', '', '', '', 1, 0, 0, 0, 0, 0, 0, ?, 0, '2026-03-01T10:00:00.000Z', 1, ?)`,
        ...[n, `10.0.0.${source}`, felt, engagement],
      )
  }
  for (let n = 1; n <= 20; n++) await insert(n, 'control', 'none', [1 + n / 100])
  for (let n = 21; n <= 60; n++) await insert(n, 'adaptive', 'error.low', [1, 3 + n / 50], 2)
  await insert(61, 'adaptive', 'none', Array(500).fill(1))
  // One that was given the same anew, day after day.
  for (let n = 62; n <= 90; n++) await insert(n, 'adaptive', 'none', [1], 0, 61)
  const { classes, all } = await driftReport(world.store, {})
  const [bot] = classes
  t.match(bot, { class: 'bot', control: { chosen: 20, visits: 20, felt: 0 } })
  t.match(bot, { adaptive: { chosen: 70, sources: 41, visits: 609, effect: { sessions: [41, 20] } } })
  const arm = bot?.arms.find((one) => one.arm === 'error.low')
  t.match(arm, { chosen: 40, visits: 80, felt: 80 })
  const effect = arm?.effect
  t.ok(effect && effect.ratio > 2 && effect.low > 1.9 && effect.high < 3 && effect.p < 0.001)
  t.ok((bot?.adaptive.effect?.ratio ?? 0) > 2, 'one source with 500 visits has one voice')
  t.same(all.control.chosen, 20)
  t.same((await driftReport(world.store, { class: 'prober' })).classes, [])
  t.same((await driftReport(world.store, { since: '2026-03-02T00:00:00.000Z' })).all.control.chosen, 0)
})
