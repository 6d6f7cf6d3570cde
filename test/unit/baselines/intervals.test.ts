import t from 'tap'
import { figuresOf } from '../../../controller/baselines/intervals.ts'
import { seededRandom } from '../../../shared/random.ts'

const near = (value: number | undefined, to: number) => Math.abs((value ?? Number.NaN) - to) < 1e-6 * Math.max(1, to)

t.test('rates have the exact interval of a count', async (t) => {
  // Garwood's limits: means at which sums of the probabilities, in sixty digits, are 2.5 %.
  const limits = [
    [0, 0, 3.688879454],
    [1, 0.025317808, 5.571643391],
    [10, 4.7953886961, 18.390356042],
    [500, 457.1285769, 545.8092686],
  ] as const
  for (const [count, low, high] of limits) {
    const seen = figuresOf({ form: 'rate', count, seconds: 3600 })
    t.ok(Math.abs((seen.low ?? -1) - low) < 1e-7 && Math.abs((seen.high ?? -1) - high) < 1e-7, JSON.stringify(seen))
  }
  t.match(figuresOf({ form: 'rate', count: 10, seconds: 1800 }), { typical: 20, unit: 'an hour' })
})

t.test('shares have that of Wilson, mixes one for each kind', async (t) => {
  const { typical, low, high } = figuresOf({ form: 'share', part: 3, of: 20 })
  t.ok(near(typical, 0.15) && near(low, 0.0523695) && near(high, 0.3604185), `${low} ${high}`)
  t.match(figuresOf({ form: 'mix', counts: { A: 6, B: 2 } }), {
    n: 8,
    kinds: [{ kind: 'A', share: 0.75 }, { kind: 'B' }],
  })
  t.same(figuresOf({ form: 'share', part: 0, of: 0 }).typical, undefined)
})

t.test('the interval of a median holds it as often as it says', async (t) => {
  const random = seededRandom('medians')
  const covers = (n: number, rounds: number) => {
    let held = 0
    for (let i = 0; i < rounds; i++) {
      // Skewed, as delays are; the true median is ln 2.
      const values = Array.from({ length: n }, () => -Math.log(1 - random()))
      const { low = 0, high = 0 } = figuresOf({ form: 'sample', unit: 'ms', n, values })
      if (low <= Math.LN2 && Math.LN2 <= high) held++
    }
    return held / rounds
  }
  for (const n of [6, 40, 200]) {
    const share = covers(n, 1000)
    t.ok(share >= 0.94 && share <= 0.99, `${n}: ${share}`)
  }
  const few = figuresOf({ form: 'sample', unit: 'ms', n: 5, values: [1, 2, 3, 4, 5] })
  t.match(few, { typical: 3 })
  t.equal(few.low, undefined, 'five say too little')
})
