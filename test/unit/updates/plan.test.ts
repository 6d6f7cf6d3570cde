import t from 'tap'
import { type Box, countsOf, plan, standingOf, takeBack } from '../../../controller/updates/plan.ts'
import { mayBreak } from '../../../controller/updates/policy.ts'
import { drawRings } from '../../../controller/updates/rings.ts'
import { pickWeighted, type Random, seededRandom } from '../../../shared/random.ts'
import { type Fate, minute, policyOf, ring, simulate } from './simulated-fleet.ts'

const good: Fate = { fetch: 2, install: 3, outcome: 'confirmed', away: 0 }
const threeRings = [ring('canary', 10), ring('half', 50), ring('all', 100)]

const drawFate = (random: Random, bad: number): Fate => ({
  fetch: Math.floor(random() * 20),
  install: Math.floor(random() * 8),
  outcome: pickWeighted(random, [
    ['confirmed', 1 - bad],
    ['rolled-back', bad / 2],
    ['failed', bad / 6],
    ['refused', bad / 6],
    ['dead', bad / 6],
  ] as const),
  away: random() < 0.2 ? random() : 0,
})

t.test('random fleets: no ring before its gate, never more broken than may be and one, always an end', async (t) => {
  let [finished, paused] = [0, 0]
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(`fleet ${seed}`)
    const policy = policyOf({
      rings: threeRings.slice(0, 1 + Math.floor(random() * 3)),
      gateMinutes: Math.floor(random() * 40),
      enough: random() < 0.5 ? 100 : 60 + random() * 40,
      tolerate: random() * 30,
      waitMinutes: 15 + random() * 60,
      unwellMinutes: 5,
      confirmMinutes: 5,
    })
    const bad = random() < 0.5 ? 0 : random() * 0.4
    const fleet = simulate(
      policy,
      Array.from({ length: 1 + Math.floor(random() * 60) }, () => drawFate(random, bad)),
      random,
    )
    const inRing = (i: number) => [...fleet.boxes.values()].filter((box) => box.ring === i)
    for (let tick = 0; tick < 20_000 && fleet.status() === 'running'; tick++) {
      fleet.tick()
      for (const i of policy.rings.keys()) {
        const here = inRing(i)
        const installed = here.filter(({ ordered, phase }) => ordered === 'install' || phase === 'confirmed')
        if (i > fleet.progress.ring && fleet.status() === 'running' && installed.length > 0)
          t.fail(`seed ${seed}: a box of ring ${i} installs while ring ${fleet.progress.ring} is open`)
        const broken = here.filter(({ phase }) => ['rolled-back', 'failed'].includes(phase ?? '')).length
        if (broken > mayBreak(policy, here.length) + 1) t.fail(`seed ${seed}: ${broken} of ${here.length} broke`)
      }
    }
    const opened = fleet.happened.filter(({ step }) => step.do === 'open')
    for (const [i, { minute: at }] of opened.entries()) {
      const { minute: before = 0 } = opened[i - 1] ?? {}
      if (i > 0 && inRing(i - 1).length > 0 && at - before < policy.gateMinutes)
        t.fail(`seed ${seed}: ring ${i} opened ${at - before} min after the one before`)
    }
    t.not(fleet.status(), 'running', `seed ${seed} ends`)
    if (fleet.status() === 'done') finished++
    else paused++
    if (fleet.status() === 'paused')
      t.notOk(
        [...fleet.boxes.values()].some(
          ({ ordered, phase }) => ordered !== 'none' && ['fetching', 'fetched'].includes(phase ?? ''),
        ),
        `seed ${seed}: nobody goes on that has not begun`,
      )
  }
  t.ok(finished > 50 && paused > 50, `${finished} finished, ${paused} paused`)
})

t.test('a good release goes through all rings, and each waits for its gate', async (t) => {
  const fleet = simulate(policyOf({ rings: threeRings, gateMinutes: 30 }), Array(40).fill(good), () => 0.5)
  while (fleet.status() === 'running') fleet.tick()
  t.equal(fleet.status(), 'done')
  t.ok([...fleet.boxes.values()].every(({ phase }) => phase === 'confirmed'))
  const opened = fleet.happened.flatMap(({ minute: at, step }) => (step.do === 'open' ? [at] : []))
  t.equal(opened.length, 3)
  t.ok((opened[1] ?? 0) >= 35, `the second at ${opened[1]} min`)
})

t.test('a bad release stops at the first canary, and the fleet never hears of it', async (t) => {
  const bad: Fate = { ...good, outcome: 'rolled-back' }
  const fleet = simulate(policyOf({ rings: threeRings }), Array(100).fill(bad), () => 0.5)
  while (fleet.status() === 'running') fleet.tick()
  t.equal(fleet.status(), 'paused')
  t.equal([...fleet.boxes.values()].filter(({ phase }) => phase === 'rolled-back').length, 1)
  t.match(fleet.happened.at(-1)?.step, { do: 'pause', why: /1 of 10 boxes of ring canary broke, more than 0/ })
})

t.test('boxes that are away keep no ring for ever, but a ring of them alone passes nothing', async (t) => {
  const away: Fate = { ...good, away: 1 }
  const some = simulate(
    policyOf({ rings: [ring('all', 100)], waitMinutes: 20, gateMinutes: 5 }),
    [...Array(9).fill(good), away],
    () => 0.5,
  )
  while (some.status() === 'running') some.tick()
  t.equal(some.status(), 'done')
  t.equal([...some.boxes.values()].filter(({ late }) => late).length, 1)
  const none = simulate(policyOf({ rings: threeRings, waitMinutes: 20 }), Array(20).fill(away), () => 0.5)
  while (none.status() === 'running') none.tick()
  t.match(none.happened.at(-1)?.step, { do: 'pause', why: /of ring canary no box could be reached/ })
})

t.test('a box that went quiet while it installed is broken once its time is over', async (t) => {
  const dead: Fate = { ...good, outcome: 'dead' }
  const fleet = simulate(policyOf({ rings: [ring('all', 100)], confirmMinutes: 10 }), [dead], () => 0.5)
  while (fleet.status() === 'running') fleet.tick()
  t.match(fleet.happened.at(-1), { minute: 43, step: { do: 'pause', why: /1 of 1 boxes/ } })
})

const box = (some: Partial<Box>): Box => ({
  agent: 'a',
  ring: 0,
  ordered: 'install',
  orderedMs: 0,
  phase: 'confirmed',
  online: true,
  troubles: [],
  late: false,
  ...some,
})

t.test('a box that is not well for a moment holds the gate, and one that stays so is broken', async (t) => {
  const policy = policyOf({ rings: threeRings, gateMinutes: 30, unwellMinutes: 10 })
  const at = (minutes: number, more = {}) => ({ ring: 0, ringMs: 0, watchedMs: minutes * minute, policy, ...more })
  const gate = { gateMs: 5 * minute }
  t.same(plan(at(5), [box({})]), [{ do: 'gate', since: 5 * minute }])
  t.same(plan(at(34, gate), [box({})]), [], 'a minute too early')
  t.same(plan(at(35, gate), [box({})]), [{ do: 'open', ring: 1 }])
  const troubled = box({ troubles: ['1 of 3 decoys are ready'] })
  t.same(plan(at(33, gate), [troubled]), [{ do: 'unwell', agent: 'a', since: 33 * minute }])
  const since = { ...troubled, unwellMs: 33 * minute }
  t.same(plan(at(42, gate), [since]), [], 'over, and not well')
  t.match(plan(at(43, gate), [since]), [{ do: 'pause', why: /1 of 1/ }])
  const well = [
    { do: 'unwell', agent: 'a', since: undefined },
    { do: 'open', ring: 1 },
  ]
  t.same(plan(at(42, gate), [{ ...since, troubles: [] }]), well)
  t.same(plan(at(20, gate), [box({ phase: 'trial' })]), [{ do: 'gate', since: undefined }], 'begun anew')
})

t.test('in a large ring somebody is always away for a moment, and that keeps nobody back', async (t) => {
  const random = seededRandom('flapping')
  const fates = Array.from({ length: 200 }, (_, i): Fate => ({ ...good, away: i % 12 ? 0 : 0.5 }))
  const fleet = simulate(policyOf({ rings: threeRings }), fates, random)
  for (let i = 0; i < 5000 && fleet.status() === 'running'; i++) fleet.tick()
  t.equal(fleet.status(), 'done')
})

t.test('what has begun is not taken back, and the next ring fetches while the gate runs', async (t) => {
  const phases = [undefined, 'fetching', 'fetched', 'installing', 'trial', 'confirmed', 'rolled-back'] as const
  const all = phases.map((phase, i) => box({ agent: String(i), phase }))
  t.same(
    takeBack(all).map((step) => step.do === 'order' && step.agent),
    ['0', '1', '2'],
  )
  const policy = policyOf({ rings: threeRings, gateMinutes: 30 })
  const next = box({ agent: 'b', ring: 1, ordered: 'none', phase: undefined })
  t.same(plan({ ring: 0, ringMs: 0, gateMs: 1, watchedMs: minute, policy }, [box({}), next]), [
    { do: 'order', agent: 'b', order: 'fetch' },
  ])
})

t.test('a box at work whose order was taken back a moment too late still counts as at risk', async (t) => {
  const policy = policyOf({ rings: threeRings })
  const progress = { ring: 0, ringMs: 0, watchedMs: 0, policy }
  t.equal(standingOf(box({ ordered: 'none', phase: 'trial' }), progress), 'at-risk')
  t.match(countsOf([box({ ordered: 'none', phase: 'trial' })], progress), { atRisk: 1, open: 1 })
})

t.test('rings are drawn from ids: the same again, others for another rollout, named boxes first', async (t) => {
  const fleet = Array.from({ length: 200 }, (_, i) => ({ id: `box-${i}`, tags: i < 3 ? ['canary'] : [] }))
  const rings = [{ name: 'canary', agents: ['box-9'], tags: ['canary'] }, ring('10%', 10), ring('100%', 100)]
  const drawn = drawRings('one', rings, fleet)
  t.same([...drawRings('one', rings, [...fleet].reverse())].sort(), [...drawn].sort())
  t.notSame([...drawRings('two', rings, fleet)].sort(), [...drawn].sort())
  const size = (i: number) => [...drawn.values()].filter((at) => at === i).length
  t.same([size(0), size(1), size(2)], [4, 16, 180], 'shares are of the whole fleet, with the rings before')
  t.same([drawn.get('box-0'), drawn.get('box-9')], [0, 0])
  t.equal(drawRings('one', rings.slice(0, 2), fleet).size, 20, 'who is in no ring stays as it is')
})
