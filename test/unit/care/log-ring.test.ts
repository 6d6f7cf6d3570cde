import t from 'tap'
import { makeLogRing, newest } from '../../../agent/care/log-ring.ts'
import { makeLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'

const line = (n: number, size = 0) =>
  JSON.stringify({ time: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(), n, msg: 'x'.repeat(size) })
const numbers = (lines: readonly string[]) => lines.map((one) => JSON.parse(one).n as number)

t.test('the ring holds the newest lines, and never more bytes than it may', async (t) => {
  const random = seededRandom('ring')
  const limits = { bytes: 10_000, lineBytes: 4000 }
  const ring = makeLogRing(limits)
  for (let n = 0; n < 5000; n++) {
    ring.push(`${line(n, Math.floor(random() * 300))}\n`)
    if (n % 500 !== 0) continue
    const held = ring.lines()
    t.ok(held.join('').length <= limits.bytes)
    const last = numbers(held)
    t.same(
      last,
      Array.from({ length: last.length }, (_, i) => n - last.length + 1 + i),
      'without gaps, up to the last',
    )
  }
  t.same(numbers(ring.lines(new Date(Date.UTC(2026, 0, 1) + 4998_000).toISOString())), [4998, 4999])
  ring.push('y'.repeat(1_000_000))
  t.equal(ring.lines().at(-1)?.length, 4001, 'a long line is cut')
})

t.test('an answer has the newest lines that fit, as they are counted on the wire', async (t) => {
  const lines = Array.from({ length: 100 }, (_, n) => `${n} "quoted" \\ ${'é'.repeat(n)}`)
  for (const bytes of [0, 50, 1000, 5000, 100_000]) {
    const { lines: told, leftOut } = newest(lines, { count: 40, bytes })
    t.ok(Buffer.byteLength(JSON.stringify(told)) <= bytes + 2, `${told.length} within ${bytes}`)
    t.ok(told.length <= 40)
    t.equal(told.length + leftOut, 100)
    t.same(told, lines.slice(leftOut))
  }
})

t.test('a log keeps what it writes', async (t) => {
  const ring = makeLogRing()
  t.capture(process.stderr, 'write')
  makeLog('test', 'info', ring.push).info({ token: 'abcdef', part: 'x' }, 'hello')
  t.match(ring.lines(), [/"part":"x".*"msg":"hello"/])
  t.notMatch(ring.lines()[0], 'abcdef')
})
