import t from 'tap'
import { makePacer, makeSlots } from '../../../controller/updates/slots.ts'

function fakeClock() {
  const time = { now: 1_000_000 }
  const sleep = async (ms: number) => {
    time.now += ms
  }
  return { time, clock: { now: () => time.now, sleep } }
}

t.test('so many boxes download at once; the others come again over a time that grows with their number', async (t) => {
  const { clock } = fakeClock()
  const slots = makeSlots(2, { clock, random: () => 0.999 })
  const first = slots.take('a')
  slots.take('b')
  const told = Array.from({ length: 1000 }, (_, i) => slots.take(`box-${i}`))
  const seconds = told.map((one) => ('retryAfterSeconds' in one ? one.retryAfterSeconds : 0))
  t.ok(seconds.every((one) => one >= 5 && one <= 185))
  t.ok((seconds[0] ?? 0) <= 15, `one that waits alone comes soon: ${seconds[0]} s`)
  t.ok((seconds.at(-1) ?? 0) > 150, `the thousandth: ${seconds.at(-1)} s`)
  if (!('signal' in first)) throw new Error('no slot')
  const again = slots.take('a')
  t.ok('signal' in again && first.signal.aborted, 'a box that comes again takes its own place')
  first.release()
  t.equal(slots.taken(), 2, 'and its old download frees nothing')
  slots.end('a')
  t.ok('signal' in again && again.signal.aborted)
  if ('signal' in again) again.release()
  t.ok('signal' in slots.take('box-0'))
})

t.test('who has not asked for long waits no more', async (t) => {
  const { clock, time } = fakeClock()
  const slots = makeSlots(1, { clock, random: () => 0.999 })
  const first = slots.take('a')
  for (let i = 0; i < 1000; i++) slots.take(`box-${i}`)
  if ('release' in first) first.release()
  time.now += 3_600_000
  slots.take('b')
  const later = slots.take('box-1')
  t.ok('retryAfterSeconds' in later && later.retryAfterSeconds <= 15)
})

t.test('the time over which they come again follows how long downloads take', async (t) => {
  const { clock, time } = fakeClock()
  const slots = makeSlots(2, { clock, random: () => 0.999 })
  const download = (ms: number) => {
    for (let i = 0; i < 40; i++) {
      const slot = slots.take('one')
      time.now += ms
      if ('release' in slot) slot.release()
    }
  }
  const lastOf = (boxes: number) => {
    const held = [slots.take('a'), slots.take('b')]
    const told = Array.from({ length: boxes }, (_, i) => slots.take(`box-${i}`)).at(-1)
    for (const slot of held) if ('release' in slot) slot.release()
    return told && 'retryAfterSeconds' in told ? told.retryAfterSeconds : Number.NaN
  }
  download(100)
  t.ok(lastOf(1000) < 70, 'a small part by quick lines goes to a thousand within a minute or so')
  download(600_000)
  t.ok(lastOf(10) > 150, 'by thin lines ten do not come again and again for nothing')

  const thin = makeSlots(2, { clock, random: () => 0.999 })
  thin.take('a')
  thin.take('b')
  time.now += 120_000
  const told = Array.from({ length: 10 }, (_, i) => thin.take(`box-${i}`)).at(-1)
  t.ok(told && 'retryAfterSeconds' in told && told.retryAfterSeconds > 150, 'nor before the first of them has ended')
})

t.test('all downloads together keep to the cap', async (t) => {
  const { clock, time } = fakeClock()
  const began = time.now
  const paced = makePacer(10_000, clock)
  async function* pieces() {
    for (let i = 0; i < 50; i++) yield Buffer.alloc(1000)
  }
  const read = async () => {
    let bytes = 0
    for await (const piece of paced(pieces(), new AbortController().signal)) bytes += piece.length
    return bytes
  }
  t.same(await Promise.all([read(), read()]), [50_000, 50_000])
  t.ok(time.now - began >= 9800, `100 kB at 10 kB/s: ${time.now - began} ms`)
})
