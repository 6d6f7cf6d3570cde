import t from 'tap'
import { take } from '../../../controller/ingest/take.ts'
import { seededRandom } from '../../../shared/random.ts'

t.test('what came before is left out, what is new is taken', async (t) => {
  t.match(take(0, { first: 0, count: 10, losses: [] }), {
    kind: 'take',
    records: { from: 0, to: 10 },
    next: 10,
    duplicated: 0,
  })
  t.match(take(4, { first: 0, count: 10, losses: [] }), { records: { from: 4, to: 10 }, next: 10, duplicated: 4 })
  t.match(take(10, { first: 0, count: 10, losses: [] }), { records: { from: 10, to: 10 }, next: 10, duplicated: 10 })
})

t.test('a gap is taken only when it is named, wholly', async (t) => {
  t.same(take(5, { first: 8, count: 2, losses: [] }), { kind: 'gap', missing: 3 })
  t.same(take(5, { first: 8, count: 2, losses: [{ from: 5, to: 6, reason: 'limit' }] }), { kind: 'gap', missing: 1 })
  t.match(take(5, { first: 8, count: 2, losses: [{ from: 0, to: 7, reason: 'limit' }] }), {
    kind: 'take',
    losses: [{ from: 5, to: 7 }],
    next: 10,
  })
  t.match(take(5, { first: 9, count: 0, losses: [{ from: 5, to: 8, reason: 'disk-full' }] }), { kind: 'take', next: 9 })
})

t.test('however batches are repeated, reordered and cut: each number once, as a record or as a loss', async (t) => {
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(`take-${seed}`)
    const total = 60
    const lost = new Set(Array.from({ length: total }, (_, n) => n).filter(() => random() < 0.2))
    const seen = new Map<number, 'record' | 'loss'>()
    let next = 0
    const end = lost.has(total - 1) ? total : total
    for (let turn = 0; next < end && turn < 10_000; turn++) {
      // A sender that sometimes repeats and sometimes runs ahead, but always comes back to where we stand.
      let first = turn % 2 ? next : Math.floor(random() * total)
      while (lost.has(first)) first++
      let count = 0
      while (count < 7 && first + count < total && !lost.has(first + count)) count++
      const losses = [...lost]
        .filter((n) => n >= next - 3 && n <= first + count + 3)
        .map((n) => ({ from: n, to: n, reason: 'limit' as const }))
      const taking = take(next, { first, count, losses })
      if (taking.kind === 'gap') continue
      for (let i = taking.records.from; i < taking.records.to; i++) {
        if (seen.has(first + i)) t.fail(`seed ${seed}: ${first + i} came twice`)
        seen.set(first + i, 'record')
      }
      for (const { from, to } of taking.losses)
        for (let n = from; n <= to; n++) {
          if (seen.has(n)) t.fail(`seed ${seed}: ${n} is a loss and came`)
          seen.set(n, 'loss')
        }
      next = taking.next
    }
    t.equal(seen.size, total, `seed ${seed}: every number is accounted for`)
    for (const [n, what] of seen) if ((what === 'loss') !== lost.has(n)) t.fail(`seed ${seed}: ${n} is ${what}`)
  }
})
