import t from 'tap'
import { seededRandom } from '../../../shared/random.ts'
import { correlationBound } from '../../../shared/statistics/dependence.ts'
import { normal } from '../../../shared/statistics/draws.ts'
import {
  type Block,
  bunchEffect,
  correlationsOf,
  dispersionBound,
  greatestEffect,
} from '../../../shared/statistics/index.ts'

/** Blocks of `n` values of which `part` of the variance is their block's. */
function blocksOf(count: number, n: number, part: number, seed: string): Block[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const own = normal(random)
    const values = Array.from({ length: n }, () => Math.sqrt(part) * own + Math.sqrt(1 - part) * normal(random))
    const sum = (of: (value: number) => number) => values.reduce((all, value) => all + of(value), 0)
    return { n, sums: [sum((value) => value)], squares: sum((value) => value ** 2) }
  })
}

t.test('the bound of the correlation is above the true one 95 times of 100, and comes near it', async (t) => {
  for (const part of [0, 0.1, 0.5]) {
    const bounds = Array.from(
      { length: 400 },
      (_, i) => correlationBound(blocksOf(60, 10, part, `${part}/${i}`))?.most ?? 0,
    )
    const above = bounds.filter((most) => most >= part).length / bounds.length
    t.ok(above >= 0.92, `${above} of the bounds hold at ${part}`)
    const middle = bounds.sort((a, b) => a - b)[200] ?? 1
    t.ok(middle < part + 0.12, `half are below ${middle}`)
  }
  t.equal(
    correlationBound([
      { n: 5, sums: [5], squares: 5 },
      { n: 3, sums: [3], squares: 3 },
    ]),
    undefined,
    'it never varied',
  )
  t.equal(correlationBound([{ n: 5, sums: [2], squares: 2 }])?.most, 1, 'one block cannot tell')
})

t.test('sessions that are longer than a block are found by longer ones', async (t) => {
  const random = seededRandom('long')
  const long = Array.from({ length: 30 }, () => normal(random)).flatMap((own) =>
    Array.from({ length: 8 }, (): Block => {
      const value = own + 0.5 * normal(random)
      return { n: 1, sums: [value], squares: value ** 2 }
    }),
  )
  const correlations = correlationsOf(long) ?? []
  t.ok(correlations.length > 3, 'since shorter ones were alike')
  const effect = greatestEffect(Array(60).fill(1), correlations)
  t.ok(effect > 4 && effect < 20, `${effect}: eight each of one session`)
  const single = correlationsOf(blocksOf(240, 5, 0, 'none')) ?? []
  const none = greatestEffect(Array(60).fill(5), single)
  t.ok(none < 2, `${none} of independent ones`)
})

t.test('what comes in bunches counts once a bunch, and counts that scatter more than chance less', async (t) => {
  t.strictSame([bunchEffect([1, 0, 1, 1]), bunchEffect([0, 20, 0]), bunchEffect([])], [1, 20, 1])
  const counts = (each: number) =>
    Array.from({ length: 64 }, (_, i) => ({ count: i % 4 === 0 ? each : 0, seconds: 60 }))
  t.ok(dispersionBound(counts(40)) > 25)
  t.ok(dispersionBound(Array.from({ length: 64 }, (_, i) => ({ count: 5 + (i % 3), seconds: 60 }))) < 2)
})
