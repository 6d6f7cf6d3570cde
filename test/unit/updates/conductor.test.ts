import t from 'tap'
import { seededRandom } from '../../../shared/random.ts'
import type { UpdatePhase } from '../../../shared/schemas/update.ts'
import { liveOn, minute, rolloutWorld } from './rollout-world.ts'

const share = (name: string, percent: number) => ({ name, percent })
const rings = [share('canary', 10), share('half', 50), share('all', 100)]

t.test('a controller that is killed anywhere goes on rightly: gates are watched in full, and all ends', async (t) => {
  for (let seed = 0; seed < 3; seed++) {
    const random = seededRandom(`kill ${seed}`)
    const world = await rolloutWorld(t, 12)
    await world.release('1.1.0', 2)
    const id = await world.start('1.1.0', { rings, gateMinutes: 5 })
    const phases = new Map<string, UpdatePhase>()
    const opened: number[] = []
    let [watched, kills] = [0, 0]
    for (let tick = 0; tick < 1500; tick++) {
      const before = await world.rollout(id)
      if (before.status !== 'running') break
      // Off for a while, or killed within its transaction, or in between, so that nobody is told.
      const off = random() < 0.05
      world.time.now += off ? 3 * 60 * minute : 0.5 * minute
      const killed = random() < 0.3
      if (killed) kills++
      await world.look(killed ? Math.floor(random() * 60) : undefined)
      await liveOn(world, id, phases, random)
      const now = await world.rollout(id)
      watched += now.watchedMs - before.watchedMs
      if (now.watchedMs - before.watchedMs > minute) t.fail('what nobody watched was counted')
      if (now.ring !== before.ring) opened[now.ring] = now.watchedMs
    }
    t.match(await world.rollout(id), { status: 'done' }, `seed ${seed}, after ${kills} kills`)
    t.ok([...phases.values()].every((phase) => phase === 'confirmed') && phases.size === 12)
    t.equal(watched, (await world.rollout(id)).watchedMs)
    for (const ring of [1, 2])
      t.ok((opened[ring] ?? 0) - (opened[ring - 1] ?? 0) >= 5 * minute, `ring ${ring} after its gate`)
  }
})

t.test('who is away when all others have it gets it when it comes', async (t) => {
  const world = await rolloutWorld(t, 4)
  await world.release('1.1.0', 2)
  const [away] = world.agents
  if (!away) throw new Error('no agents')
  await world.presence(away.id, 'offline')
  const id = await world.start('1.1.0', { rings: [share('all', 100)], gateMinutes: 0, waitMinutes: 5 })
  const phases = new Map<string, UpdatePhase>([[away.id, 'confirmed']])
  for (let i = 0; i < 60 && (await world.rollout(id)).status === 'running'; i++) {
    await world.look()
    await liveOn(world, id, phases)
    world.time.now += minute
  }
  t.match(await world.rollout(id), { status: 'done' })
  t.match(await world.desired(away.id), { rollout: id, step: 'install' })
})

t.test('a box that went on is never shown the release before it, whatever ends', async (t) => {
  const world = await rolloutWorld(t, 1)
  const [box] = world.agents
  if (!box) throw new Error('no agent')
  const all = { rings: [share('all', 100)], gateMinutes: 0 }
  const bring = async (id: string) => {
    const phases = new Map<string, UpdatePhase>()
    for (let i = 0; i < 20 && (await world.rollout(id)).status === 'running'; i++) {
      await world.look()
      await liveOn(world, id, phases)
      world.time.now += minute
    }
  }
  await world.release('1.1.0', 2)
  await world.release('1.2.0', 3)
  const first = await world.start('1.1.0', all)
  await bring(first)
  t.match(await world.desired(box.id), { rollout: first }, 'a box that is put in its place gets it, too')
  const second = await world.start('1.2.0', all)
  await world.look()
  t.match(await world.desired(box.id), { rollout: second, step: 'fetch' })
  await bring(second)
  await world.store.tx((sql) => world.actions.abort(sql, second))
  t.equal(await world.desired(box.id), undefined)
  await t.rejects(world.start('1.1.0', all), { code: 'RELEASE_OLDER' }, 'boxes would refuse it')
  await world.start('1.1.0', { ...all, allowOlder: true })
})

t.test('a paused rollout is resumed where it stood, and its pause counts for nothing', async (t) => {
  const world = await rolloutWorld(t, 10)
  await world.release('1.1.0', 2)
  const id = await world.start('1.1.0', { rings, gateMinutes: 10 })
  const other = world.start('1.1.0', { rings })
  await t.rejects(other, { code: 'CONFLICT' }, 'a box takes part in one rollout at a time')
  const phases = new Map<string, UpdatePhase>()
  for (let i = 0; i < 8; i++) {
    await world.look()
    await liveOn(world, id, phases)
  }
  const { watchedMs, ring, gateMs } = await world.rollout(id)
  t.same([ring, gateMs], [0, watchedMs], 'the canary is confirmed')
  await world.store.tx((sql) => world.actions.pause(sql, id))
  for (const agent of world.agents)
    t.equal((await world.desired(agent.id))?.step, phases.get(agent.id) === 'confirmed' ? 'install' : undefined)
  world.time.now += 24 * 60 * minute
  await world.look()
  await world.store.tx((sql) => world.actions.resume(sql, id))
  await world.look()
  t.match(await world.rollout(id), { status: 'running', ring: 0, watchedMs })
  for (let i = 0; i < 400 && (await world.rollout(id)).status === 'running'; i++) {
    await world.look()
    await liveOn(world, id, phases)
    world.time.now += minute
  }
  t.match(await world.rollout(id), { status: 'done' })
})

t.test('an open fault of a box, or a decoy that does not come up again, keeps the next ring shut', async (t) => {
  const world = await rolloutWorld(t, 10)
  await world.release('1.1.0', 2)
  const id = await world.start('1.1.0', { rings: [share('canary', 10), share('all', 100)], gateMinutes: 5 })
  const phases = new Map<string, UpdatePhase>()
  while (phases.size === 0 || [...phases.values()].some((phase) => phase !== 'confirmed')) {
    await world.look()
    await liveOn(world, id, phases)
    if (phases.size > 1) break
  }
  const [canary] = [...phases.keys()]
  const at = new Date(world.time.now + 1000).toISOString()
  await world.store.run(
    `INSERT INTO alerts (id, kind, subject, severity, title, reasons, status, count, created_at, last_at)
     VALUES ('one', 'notice', ?, 'high', 'agent reports DOCKER_UNREACHABLE', '[]', 'open', 1, ?, ?)`,
    `${canary}/DOCKER_UNREACHABLE`,
    at,
    at,
  )
  for (let i = 0; i < 8; i++) {
    world.time.now += minute
    await world.look()
  }
  t.match(await world.rollout(id), { status: 'running', ring: 0 }, 'over, and not well')
  for (let i = 0; i < 4; i++) {
    world.time.now += minute
    await world.look()
  }
  t.match(await world.rollout(id), { status: 'paused', why: /1 of 1 boxes of ring canary broke/ })
})

t.test('who goes back from what no box took is told how to end that very rollout', async (t) => {
  const world = await rolloutWorld(t, 2)
  await world.release('1.0.0', 1)
  await world.release('1.1.0', 2)
  const id = await world.start('1.1.0', { rings: [share('all', 100)] })
  await t.rejects(
    world.store.tx((sql) => world.actions.rollback(sql, id)),
    { code: 'CONFLICT', next: `End it instead: \`marshlight updates abort ${id.slice(-8)}\`.` },
  )
})
