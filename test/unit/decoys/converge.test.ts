import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeDecoys } from '../../../agent/decoys/index.ts'
import type { Engine } from '../../../agent/engine/index.ts'
import { type MemoryEngine, makeMemoryEngine } from '../../../agent/engine/memory-engine.ts'
import type { Report } from '../../../agent/spool/port.ts'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { writeFileAtomic } from '../../../shared/files.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { pick, seededRandom } from '../../../shared/random.ts'
import type { StreamRecord } from '../../../shared/schemas/envelope.ts'
import { decoyOf, planOf } from './desired.ts'

// Hundreds of plans with failures, each on disk: 10 s on an idle machine.
t.setTimeout(120_000)

type Told = StreamRecord<'state'>

/** The room on the engine in memory, with services that say they listen as soon as they are started. */
async function makePlace(t: Test) {
  const agent = newId()
  const stateDir = await mkdtemp(join(tmpdir(), 'decoys-unit-'))
  const memory = makeMemoryEngine(agent)
  for (const image of ['pod', 'cowrie', 'services']) memory.images.add(image)
  const told = new Map<string, string>()
  const answer = async (service: string, start: string) => {
    const [, decoy = '', kind] = /^marshlight-(.+)-(cowrie|services)$/.exec(service) ?? []
    const folder = join(stateDir, 'decoys', decoy)
    const own = kind === 'services' ? join(folder, 'services') : folder
    const context = JSON.parse(await readFile(join(folder, 'control', 'context.json'), 'utf8'))
    const persona = JSON.parse(await readFile(join(folder, 'control', 'persona.json'), 'utf8'))
    const status = { personaId: persona.id, personaVersion: persona.version, revision: context.revision }
    const mark = JSON.stringify([start, status])
    if (told.get(service) === mark) return
    told.set(service, mark)
    await writeFileAtomic(join(own, 'out', 'status.json'), JSON.stringify({ ...status, readyAt: start }))
  }
  const engine: Engine = {
    ...memory,
    exec: async () => ({ exitCode: 0, output: '' }),
  }
  // As the services do: look whether the control files changed, and say what is in force.
  const speaking = new Map<string, Promise<void>>()
  const services = setInterval(() => {
    for (const { running, name, startedAt } of memory.standing())
      if (running && !name.endsWith('-pod') && !speaking.has(name)) {
        const done = () => void speaking.delete(name)
        speaking.set(name, answer(name, startedAt ?? '').then(done, done))
      }
  }, 5)
  const records: Told[] = []
  const waiting = new Set<() => void>()
  const report: Report = async (_, some) => {
    records.push(...(some as readonly Told[]))
    for (const look of waiting) look()
  }
  const reported = (fits: (record: Told) => boolean, from = 0) =>
    new Promise<Told>((resolve) => {
      const look = () => {
        const found = records.slice(from).find(fits)
        if (!found) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const taken = new Map<string, string>()
  let claim: (claim: { ip: string; mac: string }) => void = () => {}
  const make = () =>
    makeDecoys(
      {
        engine,
        arp: {
          check: async (_, ip) => taken.get(ip),
          listen: async (_, onClaim, signal) => {
            claim = onClaim
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
          },
        },
        report,
        clock: systemClock,
        random: () => 0.5,
        log: silentLog,
        stateDir,
        images: { pod: 'pod', cowrie: 'cowrie', services: 'services', web: 'web' },
        nics: async () => [{ nic: 'eth7', cidr: '198.18.7.0/24', address: '198.18.7.2' }],
        agent,
      },
      { firstRetryMs: 5, strayGraceMs: 50, lookEveryMs: 25 },
    )
  const decoys = make()
  t.teardown(async () => {
    await decoys.stop()
    clearInterval(services)
    await Promise.all(speaking.values())
    await rm(stateDir, { recursive: true, force: true })
  })
  return {
    agent,
    memory,
    decoys,
    make,
    records,
    reported,
    taken,
    stateDir,
    claim: (one: Parameters<typeof claim>[0]) => claim(one),
  }
}

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

t.test('nothing is touched before a plan, and what stands aside of it goes after a grace', async (t) => {
  const { agent, memory, decoys, reported } = await makePlace(t)
  const [known, stray] = [decoyOf(20), newId()]
  await memory.create({
    name: 'left-over',
    image: 'pod',
    labels: { 'marshlight.decoy': stray, 'marshlight.kind': 'pod' },
    env: {},
    network: { kind: 'none' },
    mounts: [],
    tmpfs: {},
    sysctls: {},
    readOnlyRoot: true,
    capDrop: [],
    capAdd: [],
    memoryMb: 32,
    pids: 8,
    cpus: 1,
  })
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
