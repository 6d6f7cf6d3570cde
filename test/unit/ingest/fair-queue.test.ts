import t from 'tap'
import { makeFairQueue } from '../../../controller/ingest/fair-queue.ts'
import { seededRandom } from '../../../shared/random.ts'

type Item = { owner: string; n: number; bytes: number }

t.test('what one sends now and then passes those who catch up after an outage', async (t) => {
  const queue = makeFairQueue<Item>()
  for (let n = 0; n < 100; n++)
    for (let i = 0; i < 100; i++) queue.push(`heavy ${i}`, { owner: `heavy ${i}`, n, bytes: 524_288 }, 524_288)
  // Each had its first turn.
  queue.take(100 * 524_288)
  queue.push('light', { owner: 'light', n: 0, bytes: 300 }, 300)
  t.equal(queue.take(2_097_152)[0]?.owner, 'light')
})

t.test('a thousand catch up: each is served in each round, and nobody finishes long before the others', async (t) => {
  const queue = makeFairQueue<Item>()
  const owners = 1000
  for (let i = 0; i < owners; i++)
    for (let n = 0; n < 8; n++) queue.push(`${i}`, { owner: `${i}`, n, bytes: 32_768 }, 32_768)
  const served = new Map<string, number>()
  while (queue.length() > 0) {
    for (const { owner } of queue.take(2_097_152)) served.set(owner, (served.get(owner) ?? 0) + 1)
    const counts = [...served.values()]
    const least = served.size < owners ? 0 : Math.min(...counts)
    if (Math.max(...counts) - least > 3) t.fail(`one has ${Math.max(...counts)}, another ${least}`)
  }
  t.equal(served.size, owners)
})

t.test('whatever is pushed: all comes out, of each owner in its order, and no owner waits long', async (t) => {
  for (let run = 0; run < 40; run++) {
    const random = seededRandom(`fair ${run}`)
    const owners = 1 + Math.floor(random() * 12)
    const queue = makeFairQueue<Item>()
    const pushed = new Map<string, number>()
    const expected = new Map<string, number>()
    /** Bytes that others got since the owner, who has something waiting, got its last. */
    const passedBy = new Map<string, number>()
    const most = owners * (65_536 * 2 + 600_000) + 600_000 * 10
    let left = 0
    for (let step = 0; step < 600 || left > 0; step++) {
      if (step < 600)
        for (let i = Math.floor(random() * 4); i > 0; i--) {
          const owner = `${Math.floor(random() * owners)}`
          const n = pushed.get(owner) ?? 0
          const bytes = Math.floor(random() ** 4 * 600_000)
          queue.push(owner, { owner, n, bytes }, bytes)
          pushed.set(owner, n + 1)
          left++
        }
      if (random() < 0.6)
        for (const { owner, n, bytes } of queue.take(1 + Math.floor(random() * 400_000))) {
          if (n !== (expected.get(owner) ?? 0)) t.fail(`${owner}: ${n} instead of ${expected.get(owner)}`)
          expected.set(owner, n + 1)
          left--
          passedBy.set(owner, 0)
          for (const [other, count] of pushed)
            if (other !== owner && count > (expected.get(other) ?? 0)) {
              const passed = (passedBy.get(other) ?? 0) + bytes
              passedBy.set(other, passed)
              if (passed > most) t.fail(`${other} was passed by ${passed} bytes`)
            }
        }
    }
    t.equal(queue.length(), 0)
    t.same(expected, pushed)
  }
})
