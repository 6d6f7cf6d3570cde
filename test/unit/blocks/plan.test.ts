import t from 'tap'
import { disjoint, type Interval, keyOf } from '../../../agent/blocks/intervals.ts'
import { planSteps, remaining, type Step } from '../../../agent/blocks/plan.ts'
import { numberToIp, parseNetwork } from '../../../shared/network.ts'
import { pick, seededRandom } from '../../../shared/random.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const random = seededRandom('blocks')
const draw = (size: number) => Math.floor(random() * size)

/** Networks crowded into 256 addresses, so that they often overlap, nest and touch. */
const entries = (size: number) =>
  Array.from({ length: draw(size) }, () => ({
    cidr: `${numberToIp(0xc6122800 + draw(256))}/${pick(random, [32, 32, 32, 31, 30, 28, 25])}`,
    until: now + pick(random, [5_000, 60_000, 61_000, 3_600_000]),
  }))

const untilAt = (intervals: readonly Interval[], address: number) =>
  intervals.find((one) => one.first <= address && address <= one.last)?.until

t.test('disjoint intervals block each address exactly as long as the longest of its entries', async (t) => {
  for (let round = 0; round < 300; round++) {
    const list = entries(20)
    const intervals = disjoint(list)
    for (const [i, one] of intervals.entries()) {
      const before = intervals[i - 1]
      if (before && before.last >= one.first) t.fail(`${keyOf(before)} meets ${keyOf(one)}`)
    }
    for (let address = 0xc6122800 - 1; address <= 0xc6122900; address++) {
      const ends = list
        .filter(({ cidr }) => address >= parseNetwork(cidr).first && address <= parseNetwork(cidr).last)
        .map(({ until }) => until)
      const expected = ends.length > 0 ? Math.max(...ends) : undefined
      if (untilAt(intervals, address) !== expected) t.fail(`${numberToIp(address)} of ${JSON.stringify(list)}`)
    }
  }
})

/** The kernel's set: refuses overlap, as nftables does. */
function execute(current: readonly Interval[], steps: readonly Step[]): Interval[] {
  const set = new Map(current.map((one) => [keyOf(one), one]))
  for (const { kind, interval } of steps) if (kind !== 'add') set.delete(keyOf(interval))
  for (const { kind, interval } of steps) {
    if (kind === 'delete') continue
    const met = [...set.values()].find((one) => one.first <= interval.last && interval.first <= one.last)
    if (met) throw new Error(`${keyOf(interval)} overlaps ${keyOf(met)}`)
    set.set(keyOf(interval), interval)
  }
  return [...set.values()]
}

t.test('from any state the steps lead to the list, without overlap on the way, and then nothing is left', async (t) => {
  for (let round = 0; round < 500; round++) {
    const current = disjoint(entries(15))
    const desired = disjoint(entries(15))
    const after = execute(current, planSteps(current, desired, now))
    if (planSteps(after, desired, now).length > 0) t.fail('something is left to do')
    for (const one of desired) {
      const held = untilAt(after, one.first)
      if (held === undefined || Math.abs(held - one.until) > 2_000) t.fail(`${keyOf(one)} is not held`)
    }
    if (after.length !== desired.length) t.fail('something is held that is not in the list')
  }
})

t.test('what is over is neither added nor deleted, and what is about to end is no deviation', async (t) => {
  const over = { first: 1, last: 1, until: now - 1 }
  const ending = { first: 5, last: 5, until: now + 1_000 }
  t.same(planSteps([over], [over], now), [])
  t.same(planSteps([], [over], now), [])
  t.same(remaining([], [ending], now), [])
  t.same(remaining([], [{ ...ending, until: now + 10_000 }], now).length, 1)
})
