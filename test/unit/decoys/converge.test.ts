import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { MemoryEngine } from '../../../agent/engine/memory-engine.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { newId } from '../../../shared/ids.ts'
import { pick, seededRandom } from '../../../shared/random.ts'
import { idleContainer } from '../engine/idle-container.ts'
import { decoyOf, planOf } from './desired.ts'
import { makePlace, type Told } from './place.ts'

// Hundreds of plans with failures, each on disk: 10 s on an idle machine.
t.setTimeout(120_000)

const settled = (revision: number) => (record: Told) => record.type === 'document' && record.revision === revision
const fault = () => new MarshlightError('COMMAND_FAILED', { command: 'docker', why: 'a fault', next: 'Again.' })

const alone = ['cowrie'] as const
const both = ['cowrie', 'services'] as const

const runningOf = async (memory: MemoryEngine) =>
  memory
    .standing()
    .filter(({ running }) => running)
    .map(({ ip, name }) => ip ?? name)

t.test('whatever fails or dies on the way, the plan is brought about', async (t) => {
  for (let seed = 0; seed < 8; seed++) {
    const random = seededRandom(`converge ${seed}`)
    const { agent, memory, decoys, reported } = await makePlace(t)
    await decoys.start(new AbortController().signal)
    let plan = [decoyOf(20), decoyOf(21, { services: [...both] }), decoyOf(22, { services: ['services'] })]
    for (let revision = 1; revision <= 4; revision++) {
      for (let n = 0; n < 3; n++) memory.failNext(pick(random, ['create', 'start', 'remove', 'createMacvlan']), fault())
      if (revision > 1) {
        const [first, ...others] = plan
        const changes = [
          () => others,
          () => [...plan, decoyOf(30 + revision)],
          () => (first ? [{ ...first, ip: `198.18.7.${40 + revision}` }, ...others] : others),
          () => plan.map((decoy) => ({ ...decoy, personaVersion: 2 })),
          () => plan.map((decoy, n) => ({ ...decoy, services: n === 1 ? [...alone] : [...both] })),
        ]
        plan = pick(random, changes)()
      }
      const alive = memory.standing()
      if (alive.length > 0) memory.crash(pick(random, alive).name, 1)
      decoys.applyPlan(planOf(agent, revision, plan))
      t.match(await reported(settled(revision)), { outcome: 'applied' }, `seed ${seed}, revision ${revision}`)
    }
    const wanted = plan.flatMap(({ id, ip, services }) => [ip, ...services.map((name) => `marshlight-${id}-${name}`)])
    t.same((await runningOf(memory)).sort(), wanted.sort(), `seed ${seed}`)
  }
})

t.test('attempts are counted over a restart of the agent', async (t) => {
  const { agent, memory, decoys, make, reported, records } = await makePlace(t)
  memory.images.delete('cowrie')
  await decoys.start(new AbortController().signal)
  const decoy = decoyOf(20)
  decoys.applyPlan(planOf(agent, 1, [decoy]))
  t.match(await reported(settled(1)), { outcome: 'rejected', reason: /image cowrie is not here/ })
  await decoys.stop()
  const created = memory.calls.filter((call) => call.startsWith('create ')).length
  t.equal(created, 10, 'five attempts, two containers each')

  const again = make()
  t.teardown(() => again.stop())
  const from = records.length
  await again.start(new AbortController().signal)
  again.applyPlan(planOf(agent, 1, [decoy]))
  await reported(settled(1), from)
  t.equal(memory.calls.filter((call) => call.startsWith('create ')).length, created, 'no attempt more')
  memory.images.add('cowrie')
  again.applyPlan(planOf(agent, 2, [decoy]))
  t.match(await reported(settled(2)), { outcome: 'applied' })
})

t.test('attempts begin anew under another agent or another system, and after the box went back', async (t) => {
  const { agent, memory, decoys, make, reported, records } = await makePlace(t)
  const plan = planOf(agent, 1, [decoyOf(20)])
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(plan)
  t.match(await reported(settled(1)), { outcome: 'applied' })
  await decoys.stop()
  const before = { arch: 'amd64', agent: '1.0.0', system: '1.0.0', slot: 'A' } as const
  for (const trial of [
    { ...before, agent: '2.0.0' },
    { ...before, system: '2.0.0', slot: 'B' },
  ] as const)
    for (const [running, outcome] of [
      [trial, 'rejected'],
      [before, 'applied'],
    ] as const) {
      for (const { name } of memory.standing()) await memory.remove(name)
      if (outcome === 'rejected') memory.images.delete('cowrie')
      else memory.images.add('cowrie')
      const from = records.length
      const one = make(running)
      await one.start(new AbortController().signal)
      one.applyPlan(plan)
      t.match(await reported(settled(1), from), { outcome }, JSON.stringify(running))
      await one.stop()
    }
})

t.test('nothing is touched before a plan, and what stands aside of it goes after a grace', async (t) => {
  const { agent, memory, decoys, reported } = await makePlace(t)
  const [known, stray] = [decoyOf(20), newId()]
  await memory.create(idleContainer('left-over', { 'marshlight.decoy': stray, 'marshlight.kind': 'pod' }, 'pod'))
  await decoys.start(new AbortController().signal)
  t.equal(memory.calls.includes('containers'), false)
  decoys.applyPlan(planOf(agent, 1, [known]))
  await reported(settled(1))
  await reported((record) => record.type === 'notice' && record.code === 'ORPHAN_REMOVED')
  t.notOk((await memory.containers()).some(({ name }) => name === 'left-over'))
})

t.test('a claim by a stranger withdraws a decoy, one by an own decoy does not', async (t) => {
  const { agent, memory, decoys, reported, claim, taken } = await makePlace(t)
  const [one, two] = [decoyOf(20), decoyOf(21)]
  memory.failNext('containers', fault())
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [one, two]))
  await reported(settled(1))
  claim({ ip: one.ip, mac: one.mac })
  claim({ ip: one.ip, mac: two.mac })
  claim({ ip: two.ip, mac: '02:00:00:00:00:99' })
  t.match(await reported((record) => record.type === 'decoy' && record.phase === 'withdrawn'), { decoy: two.id })
  t.same(decoys.ownAddresses(), [{ ip: one.ip, mac: one.mac }], 'the address is a host’s')
  taken.set(two.ip, '02:00:00:00:00:99')
  decoys.applyPlan(planOf(agent, 2, [one, two]))
  t.match(await reported(settled(2)), { outcome: 'rejected', reason: /02:00:00:00:00:99/ })
  t.same((await runningOf(memory)).sort(), [one.ip, `marshlight-${one.id}-cowrie`].sort())
})

t.test('a damaged entry is set aside and told, and the decoy is taken up again', async (t) => {
  const { agent, decoys, make, reported, stateDir, records } = await makePlace(t)
  const decoy = decoyOf(20)
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [decoy]))
  await reported(settled(1))
  await decoys.stop()
  const path = join(stateDir, 'decoys', decoy.id, 'entry.json')
  await writeFile(path, '{"decoy":')
  const again = make()
  t.teardown(() => again.stop())
  const from = records.length
  await again.start(new AbortController().signal)
  await reported((record) => record.type === 'notice' && record.code === 'STATE_CORRUPT')
  t.equal(await readFile(`${path}.damaged`, 'utf8'), '{"decoy":')
  again.applyPlan(planOf(agent, 2, [decoy]))
  t.match(await reported(settled(2), from), { outcome: 'applied' })
})

t.test('a decoy that was taken down as unsafe does not come up by any change of the plan, only released', async (t) => {
  const { agent, memory, decoys, make, reported, records, stateDir } = await makePlace(t)
  const [bad, good] = [decoyOf(20), decoyOf(21)]
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [bad, good]))
  await reported(settled(1))
  await decoys.takeDown(bad.id, 'a way out')
  t.match(await reported((record) => record.type === 'decoy' && record.phase === 'condemned'), { reason: 'a way out' })
  const starts = () => memory.calls.filter((call) => call.startsWith('start ') && call.includes(bad.id)).length
  const before = starts()
  t.not(before, 0)
  const moved = { ...bad, ip: '198.18.7.40', personaVersion: 2 }
  decoys.applyPlan(planOf(agent, 2, [moved, good]))
  t.match(await reported(settled(2)), { outcome: 'rejected', reason: /a way out/ })
  await decoys.stop()

  const again = make()
  t.teardown(() => again.stop())
  await again.start(new AbortController().signal)
  again.applyPlan(planOf(agent, 3, [{ ...moved, condemned: true }, good]))
  t.match(await reported(settled(3)), { outcome: 'applied' }, 'it is down as the plan has it')
  await again.stop()
  await rm(join(stateDir, 'decoys', bad.id, 'entry.json'))

  const third = make()
  t.teardown(() => third.stop())
  const from = records.length
  await third.start(new AbortController().signal)
  third.applyPlan(planOf(agent, 4, [{ ...moved, condemned: true }, good]))
  await reported(settled(4), from)
  t.equal(starts(), before)
  third.applyPlan(planOf(agent, 5, [{ ...moved, releases: 1 }, good]))
  t.match(await reported(settled(5)), { outcome: 'applied' })
  t.ok((await runningOf(memory)).includes(moved.ip))
})
