import t, { type Test } from 'tap'
import { type MovedMost, movedMost, pairOf } from '../../../agent/mimicry/asked-and-had.ts'
import { defaultShapes } from '../../../agent/mimicry/default-shapes.ts'
import { mimicOne } from '../../../agent/mimicry/one-decoy.ts'
import { type Told, told } from '../../../agent/mimicry/told.ts'
import { readStandings } from '../../../controller/detection/index.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import { type MimicryTarget, mimicryPlan } from '../../../shared/schemas/mimicry.ts'
import { normal } from '../../../shared/statistics/draws.ts'
import { makeHandClock } from '../sessions/hand-clock.ts'
import { makeWorld, minute } from './world.ts'

type World = Awaited<ReturnType<typeof makeWorld>>
/** What one of the two instances of the first decoy did in ten minutes. */
type Did = { planned: number; done: number; failed?: number; measured?: MovedMost | undefined }
const usual: Did = { planned: 10, done: 10, measured: { score: 0 } }

/** Ten minutes after each other, in which instance 1 does what is told and instance 0 the usual. */
async function reports(world: World, times: number, did: (i: number) => Did): Promise<void> {
  for (let i = 0; i < times; i++) {
    world.clock.advance(10 * minute)
    const records = [usual, did(i)].map(({ planned, done, failed = 0, measured }, instance) => ({
      ...{ type: 'mimicry', at: world.at(), decoy: world.decoys[0], instance, seconds: 600, bytes: 1000, bounded: 0 },
      ...{ planned, done, failed, redrawn: false, ...measured },
    }))
    await world.commit('features', records)
  }
}

async function calmInstances(t: Test): Promise<World> {
  const world = await makeWorld(`${t.testdir()}/db.sqlite`, 2)
  t.teardown(() => world.close())
  await reports(world, 24, (i) => ({ ...usual, done: i % 6 === 0 ? 9 : 10 }))
  await world.look()
  return world
}
const standingOf = async (world: World) =>
  (await readStandings(world.store(), world.decoys[0] ?? '')).find(({ instance }) => instance === 1)

t.test('an instance that stops is scored against what was planned, and the other one is not', async (t) => {
  const world = await calmInstances(t)
  t.equal((await standingOf(world))?.score ?? 0, 0)
  await reports(world, 6, () => ({ planned: 10, done: 0 }))
  const found = await world.look()
  t.strictSame(
    found.filter(({ score }) => score > 0).map(({ kind, instance }) => [kind, instance]),
    [['mimicry', 1]],
  )
  const standing = await standingOf(world)
  t.match(standing, { cause: 'interference', feature: 'error.share' })
  t.match(standing?.findings, [{ words: /100 % of what was planned was not had, 1\.67 % expected/, whose: 'own' }])
  const alerts = await world
    .store()
    .all<{ title: string; reasons: string }>(`SELECT * FROM alerts WHERE kind = 'drift'`)
  t.match(alerts, [{ title: /web-0 behaves otherwise/, reasons: /web-0, mimicry 1: error\.share/ }])
})

t.test('where the plan has less, at night, doing less is no drift', async (t) => {
  const world = await calmInstances(t)
  await reports(world, 6, () => ({ planned: 4, done: 4 }))
  t.ok((await world.look()).every(({ score }) => score === 0))
})

t.test(
  'sizes and pauses that are not those of the plan are told by the instance, and scored with their names',
  async (t) => {
    const target: MimicryTarget = { role: 'peer', ip: '198.18.1.9', port: 21_000, proto: 'tcp', names: [] }
    const pairs = (factor: { response?: number; pause?: number }) => {
      const random = seededRandom('asked')
      const about = (middle: number) => Math.round(middle * Math.exp(0.3 * normal(random)))
      return Array.from({ length: 200 }, (_, id) => {
        const handshake: [number, number, number] = [517, 1400, 1]
        const asked: [number, number, number] = [about(300), about(5000), about(100)]
        const [request, response, pause] = asked
        const had: [number, number, number] = [request, response * (factor.response ?? 1), pause * (factor.pause ?? 1)]
        const one = { id, at: id * minute, instance: 0, kind: 'https', target, exchanges: [handshake, asked] }
        const { ip, port, role } = target
        const line = { type: 'done', id, instance: 0, kind: 'https', role, ip, port, at: one.at, bytes: 1 }
        return pairOf(one, told.parse({ ...line, exchanges: [[500, 1300, 2], had] }) as Extract<Told, { type: 'done' }>)
      })
    }
    t.same(movedMost(pairs({})), { score: 0 })
    for (const [factor, of, feature, cause] of [
      [{ response: 3 }, 'response', 'response.size', 'interference'],
      [{ pause: 4 }, 'pause', 'interarrival', 'unclear'],
    ] as const) {
      const measured = movedMost(pairs(factor))
      t.match(measured, { moved: { kind: 'https', of } })
      const world = await calmInstances(t)
      await reports(world, 6, () => ({ ...usual, measured }))
      await world.look()
      const standing = await standingOf(world)
      t.match(standing, { score: measured?.score, feature, cause })
    }
  },
)

t.test('a process that is gone is told by what it did not do of its plan', async (t) => {
  const clock = makeHandClock()
  const plan = mimicryPlan.parse({
    ...{ seed: 'gone', mimicryLevel: 'high', instantiations: 1, parameterVariation: 0.1, driftThreshold: 30 },
    ...{ mostAnHour: 120, mostBytesAnHour: 1e6, patterns: [] },
    targets: [{ role: 'resolver', ip: '198.18.1.1', port: 53, proto: 'udp', names: ['example.test'] }],
  })
  let running = true
  let started = () => {}
  const one = mimicOne({
    ...{ decoy: 'd', plan, agent: 'apt', patterns: () => defaultShapes, clock, log: silentLog, sliceMs: 10 * minute },
    keep: (_, onStarted) => {
      started = onStarted
      return { running: () => running, say: () => undefined, stop: async () => undefined }
    },
  })
  started()
  running = false
  let due = 0
  for (let i = 0; i < 12 * 24; i++) {
    clock.advance(10 * minute)
    one.goOn()
    for (const { planned, done } of one.reports(10 * minute)) {
      due += planned
      if (done !== 0) t.fail('nothing was done')
    }
  }
  t.ok(due > 20, `${due} in two days`)
})
