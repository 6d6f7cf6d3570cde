import t from 'tap'
import { shippedEvidence } from '../../../controller/risk/index.ts'
import { amountAt, type Evidence, nothing, scoreOf, withHappening } from '../../../controller/risk/score.ts'
import { crossingsOf, type Level } from '../../../controller/risk/thresholds.ts'
import { seededRandom } from '../../../shared/random.ts'

const rules = shippedEvidence(24)
const hour = 3_600_000
const random = seededRandom('score')
const thresholds = { alert: 30, deploy: 50, reconfigure: 60, block: 80 }

type Happening = { evidence: string; atMs: number }
const happenings = (n: number): Happening[] =>
  Array.from({ length: n }, () => ({
    evidence: rules[Math.floor(random() * rules.length)]?.id ?? '',
    atMs: Math.floor(random() * 100 * hour),
  }))

function gather(list: readonly Happening[]): Evidence[] {
  const sums = new Map<string, Evidence>()
  for (const { evidence, atMs } of list) {
    const rule = rules.find(({ id }) => id === evidence)
    const held = sums.get(evidence) ?? { ...nothing, evidence, count: 0, detail: null }
    sums.set(evidence, { ...held, ...withHappening(held, atMs, rule?.halfLifeMs ?? 1), count: held.count + 1 })
  }
  return [...sums.values()]
}
const score = (list: readonly Happening[], nowMs = 100 * hour) => scoreOf(gather(list), rules, nowMs).score

t.test('a score lies between 0 and 100, however much there is', async (t) => {
  t.equal(score([]), 0)
  for (let round = 0; round < 200; round++) {
    const value = score(happenings(Math.floor(random() * 300)))
    if (!(value >= 0 && value <= 100)) t.fail(`a score of ${value}`)
  }
  t.ok(score(happenings(20_000)) > 99)
})

t.test('more evidence never lowers a score, time never raises it, and in the end it is 0', async (t) => {
  for (let round = 0; round < 200; round++) {
    const list = happenings(1 + Math.floor(random() * 10))
    const before = score(list)
    if (score([...list, ...happenings(1)]) < before) t.fail('evidence lowered it')
    const later = (100 + random() * 500) * hour
    if (score(list, later) > before) t.fail('time raised it')
    if (score(list, 5000 * hour) > 0.001) t.fail('it did not end')
  }
  t.pass('200 lists of evidence')
})

t.test('the order in which evidence comes does not matter', async (t) => {
  for (let round = 0; round < 100; round++) {
    const list = happenings(30)
    const shuffled = [...list].sort(() => random() - 0.5)
    if (Math.abs(score(list) - score(shuffled)) > 0.002) t.fail(`${score(list)} and ${score(shuffled)}`)
  }
  t.pass('100 shuffles')
})

t.test('an amount halves with each half-life', async (t) => {
  const sum = withHappening(withHappening(nothing, 0, hour), hour, hour)
  t.equal(amountAt(sum, hour, hour), 1.5)
  t.equal(amountAt(sum, 3 * hour, hour), 0.375)
})

t.test('reasons come in words, the weightiest first', async (t) => {
  const { reasons } = scoreOf(
    [
      { ...nothing, evidence: 'touch', amount: 1, refMs: 0, count: 1, detail: null },
      { ...nothing, evidence: 'login.failed', amount: 40, refMs: 0, count: 40, detail: 'root' },
    ],
    rules,
    0,
  )
  t.same(
    reasons.map(({ words }) => words),
    ['failed to log in 40 times, last as root', 'touched a decoy, which nobody has a reason to do'],
  )
})

t.test('a threshold is crossed once a rise, and anew only after a fall below 80 % of it', async (t) => {
  let levels: Level[] = []
  const told: string[][] = []
  for (const [before, after] of [
    [0, 35],
    [33, 50],
    [26, 40],
    [24, 31],
    [23, 31],
  ] as const) {
    const result = crossingsOf(levels, { before, after }, { thresholds, nowMs: 0, repeatMs: hour })
    levels = result.levels
    told.push(result.crossings.map(({ threshold }) => threshold))
  }
  t.same(told, [['alert'], ['deploy'], [], [], ['alert']])
})

t.test('who goes on above alert or block is told of again after a while, for deploy not', async (t) => {
  const first = crossingsOf([], { before: 0, after: 90 }, { thresholds, nowMs: 0, repeatMs: hour })
  t.equal(first.crossings.length, 4)
  const soon = crossingsOf(first.levels, { before: 90, after: 91 }, { thresholds, nowMs: hour - 1, repeatMs: hour })
  t.same(soon.crossings, [])
  const later = crossingsOf(soon.levels, { before: 90, after: 91 }, { thresholds, nowMs: hour, repeatMs: hour })
  t.same(later.crossings, [
    { threshold: 'alert', again: true },
    { threshold: 'block', again: true },
  ])
})
