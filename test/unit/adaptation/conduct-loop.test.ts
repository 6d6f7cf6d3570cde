import t from 'tap'
import { driftReport, explain } from '../../../controller/adaptation/index.ts'
import { driftOf } from '../../../controller/drift/index.ts'
import { always, drifted, given, visits } from './told.ts'
import { decoys, makeWorld, minute } from './world.ts'

const [decoy] = decoys
const source = '203.0.113.9'

t.test('conduct moves a view, within the rails; the control group is left as it is', async (t) => {
  const world = makeWorld(t, { ...always, types: ['latency'] })
  await world.prepare()
  const ip = await drifted(world)
  await world.feed([world.event(ip, 'login.success'), world.event(ip, 'command', { command: 'time ls /root' })])
  await world.look()
  t.equal((await given(world)).at(-1)?.shown, 'latency.low', 'within its time of rest')
  world.clock.advance(2 * minute)
  await world.feed([world.event(ip, 'command', { command: 'cat /proc/1/cgroup' })])
  await world.look()
  t.equal((await given(world)).at(-1)?.shown, 'latency.low', 'a type that nobody may choose is not chosen')
  t.same(world.reconfigured, [decoy], 'but the persona changes')
  world.clock.advance(2 * minute)
  await world.feed([world.event(ip, 'command', { command: 'ls -la /.dockerenv' })])
  await world.look()
  t.same(world.reconfigured, [decoy], 'and not again at once')

  const free = makeWorld(t, { controlShare: 0.02, cooldownMinutes: 1 }, 'free')
  await free.prepare()
  await free.feed([free.event(source, 'session.open')])
  await free.store.run(
    "UPDATE adaptation_assignments SET arm = 'latency.high', shown = 'latency.high', grp = 'adaptive'",
  )
  free.clock.advance(2 * minute)
  await free.feed([free.event(source, 'login.success'), free.event(source, 'command', { command: 'time ls' })])
  await free.look()
  t.match(await given(free), [{ arm: 'latency.high', shown: 'alteration.high' }])
  t.match((await driftOf(free.store, decoy)).views, [{ source, drift: { effects: [{ type: 'alteration' }] } }])

  const control = makeWorld(t, { controlShare: 1 })
  await control.prepare()
  await control.feed([control.event(source, 'session.open'), control.event(source, 'login.success')])
  for (const command of ['cat /proc/1/cgroup', 'ls /.dockerenv', 'dmidecode', 'time ls'])
    await control.feed([control.event(source, 'command', { command })])
  control.clock.advance(2 * minute)
  await control.look()
  t.match(await given(control), [{ grp: 'control', arm: 'none', shown: 'none' }])
  t.same(control.reconfigured, [])
  t.same((await driftOf(control.store, decoy)).views, [])
})

t.test('a face that one attacker brought about is no part of what the others are compared by', async (t) => {
  const world = makeWorld(t, always)
  await world.prepare()
  const ip = await drifted(world)
  const control = '198.51.100.3'
  await world.feed([world.event(control, 'session.open'), world.event(control, 'command', { command: 'id' })])
  await world.store.run(
    "UPDATE adaptation_assignments SET grp = 'control', arm = 'none', shown = 'none' WHERE source = ?",
    control,
  )
  for (const command of ['cat /proc/1/cgroup', 'dmidecode'])
    await world.feed([world.event(ip, 'login.success'), world.event(ip, 'command', { command })])
  await world.look()
  t.same(world.reconfigured, [decoy])
  world.clock.advance(minute)
  const now = { personaVersion: 2 }
  // The control group's shell goes on, and a second session meets what has come; so does a newcomer.
  await world.feed([
    world.event(control, 'command', { command: 'w' }),
    world.event(control, 'session.open', { session: 'after', ...now }),
    world.event(control, 'command', { session: 'after', command: 'ls', ...now }),
    world.event(control, 'command', { command: 'ps' }),
    world.event(ip, 'command', { command: 'w', ...now }),
    world.event('198.51.100.4', 'session.open', now),
  ])
  world.clock.advance(6 * minute)
  await world.look()
  world.clock.advance(minute)
  await world.feed([world.event(control, 'session.open', { session: 'again', ...now })])
  world.clock.advance(6 * minute)
  await world.look()
  const made = await world.store.all<{ source: string; left_out: string | null; engagement: number | null }>(
    'SELECT source, left_out, commands, engagement FROM adaptation_visits ORDER BY id',
  )
  const of = (source: string) => made.filter((one) => one.source === source)
  t.match(of(control), [
    { left_out: null, engagement: Number, commands: 3 },
    { left_out: 'other-face', engagement: null },
    { left_out: 'other-face', engagement: null },
  ])
  t.match(of(ip), [{ left_out: null }, { left_out: null, engagement: Number }], 'what he brought about himself counts')
  t.match(of('198.51.100.4'), [{ left_out: null, engagement: Number }], 'who never knew another face, too')
  const { leftOut, all } = await driftReport(world.store, {})
  t.same(leftOut, [{ why: 'other-face', visits: 2, control: 2 }])
  t.equal(all.control.visits, 1)
})

t.test('what is done at a web page decides as what is typed into a shell does', async (t) => {
  const world = makeWorld(t, { controlShare: 0.02, cooldownMinutes: 1, types: ['error'] })
  await world.prepare()
  const http = { service: 'http', dst: { ip: '198.18.1.50', port: 8080 } }
  let ip = ''
  for (let i = 1; (await given(world)).at(-1)?.arm !== 'error.low'; i++) {
    ip = `203.0.113.${i}`
    await world.feed([world.event(ip, 'session.open', http)])
  }
  const view = async () => (await driftOf(world.store, decoy)).views.find((one) => one.source === ip)?.drift
  t.match((await view())?.effects, [{ type: 'error', kind: /^(refused|reset|busy|timeout)$/, share: 0.01 }])
  t.ok(world.asked.includes(8080), 'relative to what is usual at that port')
  world.clock.advance(2 * minute)
  const ask = (url: string) => {
    world.clock.advance(1000)
    return world.event(ip, 'request', { ...http, url })
  }
  await world.feed([ask('/login'), ask('/login'), ask('/admin')])
  await world.look()
  t.equal((await given(world)).at(-1)?.shown, 'error.low', 'what was asked for twice failed for nobody yet')
  const felt = { source: 'marshlight.drift', service: 'pod', data: { type: 'error', what: 'reset', count: 2, ms: 0 } }
  await world.feed([world.event(ip, 'other', felt), ask('/admin')])
  await world.look()
  t.equal((await given(world)).at(-1)?.shown, 'error.medium', 'failures were borne')
  t.match((await view())?.effects, [{ type: 'error', share: 0.04 }])
  world.clock.advance(10 * minute)
  await world.look()
  t.match((await visits(world)).at(-1), { service: 'http', commands: 4, felt: 2, engagement: Number })
  t.match(await explain(world.store, ip, new Date(world.clock.now()).toISOString()), {
    class: 'scanner',
    known: { commands: 0, requests: 4 },
  })
})

t.test('a flood of sources changes a decoy so many times an hour, and both groups stop alike', async (t) => {
  const world = makeWorld(t, { controlShare: 0.3, changesPerHour: 5 })
  await world.prepare()
  for (let i = 1; i <= 60; i++) await world.feed([world.event(`198.51.100.${i}`, 'session.open')])
  const made = await world.store.get<{ n: number }>(
    "SELECT COUNT(*) AS n FROM adaptation_changes WHERE kind <> 'refused'",
  )
  t.equal(made?.n, 5)
  t.equal((await driftOf(world.store, decoy)).views.length, 5)
  const last = (await given(world)).at(-1)
  t.ok(last && last.arm !== 'none', 'after the last change nobody was drawn for, of the control group neither')
})
