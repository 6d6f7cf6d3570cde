import t from 'tap'
import { addLoss, gapsBetween, type Losses, lossesAt, lossesBelow, lossesFrom } from '../../../agent/spool/losses.ts'
import { seededRandom } from '../../../shared/random.ts'

t.test('neighbouring losses with one reason are one', async (t) => {
  const losses = addLoss(addLoss([], { from: 5, to: 6, reason: 'limit' }), { from: 7, to: 9, reason: 'limit' })
  t.strictSame(losses, [{ from: 5, to: 9, reason: 'limit' }])
})

t.test('the run of losses at a number ends where a record follows', async (t) => {
  const losses: Losses = [
    { from: 2, to: 3, reason: 'limit' },
    { from: 4, to: 4, reason: 'corrupt' },
    { from: 9, to: 9, reason: 'limit' },
  ]
  t.strictSame(lossesAt(losses, 3), [
    { from: 3, to: 3, reason: 'limit' },
    { from: 4, to: 4, reason: 'corrupt' },
  ])
  t.strictSame(lossesAt(losses, 5), [])
  t.strictSame(lossesBelow(losses, 3), [{ from: 2, to: 2, reason: 'limit' }])
  t.strictSame(lossesFrom(losses, 4), [
    { from: 4, to: 4, reason: 'corrupt' },
    { from: 9, to: 9, reason: 'limit' },
  ])
})

t.test('whatever is added, each lost number is named exactly once and the rest is found as gaps', async (t) => {
  const random = seededRandom('losses')
  for (let round = 0; round < 300; round++) {
    let losses: Losses = []
    const lost = new Set<number>()
    for (let i = 0; i < 8; i++) {
      const from = Math.floor(random() * 60)
      const to = from + Math.floor(random() * 8)
      losses = addLoss(losses, { from, to, reason: random() < 0.5 ? 'limit' : 'corrupt' })
      for (let n = from; n <= to; n++) lost.add(n)
    }
    const named = losses.flatMap((l) => Array.from({ length: l.to - l.from + 1 }, (_, i) => l.from + i))
    t.strictSame(
      named,
      [...lost].sort((a, b) => a - b),
    )
    const gaps = gapsBetween(0, 70, [[10, 20]], losses).flatMap(([a, b]) =>
      Array.from({ length: b - a }, (_, i) => a + i),
    )
    const expected = Array.from({ length: 70 }, (_, i) => i).filter((n) => !lost.has(n) && (n < 10 || n >= 20))
    t.strictSame(gaps, expected)
  }
})
