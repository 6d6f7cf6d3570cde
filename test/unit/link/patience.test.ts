import t from 'tap'
import { type Delays, type End, makePatience } from '../../../agent/link/patience.ts'
import { seededRandom } from '../../../shared/random.ts'

const delays: Delays = { firstMs: 200, capMs: 8000, busyCapMs: 30_000, refusedMs: 45_000 }
const agents = 1000

/** When each of a crowd comes again in the hour after all lost the controller in one instant, milliseconds. */
function comings(end: 'unreachable' | 'busy', seed: string, until: number): number[] {
  return Array.from({ length: agents }, (_, i) => {
    const patience = makePatience(delays, seededRandom(`${seed} ${i}`))
    const times: number[] = []
    for (let at = patience.after(end); at < until; at += patience.after(end)) times.push(at)
    return times
  }).flat()
}

const mostWithin = (times: readonly number[], ms: number, from: number): number => {
  const counts = new Map<number, number>()
  for (const at of times) if (at >= from) counts.set(Math.floor(at / ms), (counts.get(Math.floor(at / ms)) ?? 0) + 1)
  return Math.max(...counts.values())
}

t.test('a crowd that lost its controller in one instant does not come back in one', async (t) => {
  for (const seed of ['a', 'b', 'c']) {
    const away = comings('unreachable', seed, 600_000)
    t.ok(mostWithin(away, 100, 20_000) < agents / 10, 'no tenth of a second sees a tenth of them')
    const busy = comings('busy', seed, 600_000)
    t.ok(mostWithin(busy, 100, 60_000) < agents / 25)
    t.ok(busy.length < away.length / 2, 'they come less often to one that has too many')
  }
})

t.test('delays stay within their bounds, and a good connection begins anew', async (t) => {
  const patience = makePatience(delays, seededRandom('bounds'))
  const drawn = (end: End) => Array.from({ length: 1000 }, () => patience.after(end)).sort((a, b) => a - b)
  for (const [end, least, most] of [
    ['unreachable', 200, 8000],
    ['busy', 600, 30_000],
    ['refused', 22_500, 45_000],
  ] as const) {
    const delays = drawn(end)
    t.ok((delays.at(0) ?? 0) >= least && (delays.at(-1) ?? 0) <= most, `${end}: ${delays.at(0)} to ${delays.at(-1)}`)
  }
  patience.good()
  t.ok(patience.after('unreachable') <= 600)
  const tiny = makePatience({ firstMs: 50, capMs: 20, busyCapMs: 20, refusedMs: 20 }, () => 0.5)
  t.equal(tiny.after('unreachable'), 50, 'a cap below the first does not make it less')
})
