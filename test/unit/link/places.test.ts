import t from 'tap'
import { makePlaces } from '../../../controller/link/places.ts'

const limits = { least: 16, first: 32, most: 256 }
const idle = { busy: 0.3, lateMs: 2, waiting: 500 }
const full = { busy: 1, lateMs: 400, waiting: 500 }
const after = (places: ReturnType<typeof makePlaces>, times: number, seen: typeof idle) => {
  for (let i = 0; i < times; i++) places.look(seen)
  return places.count()
}

t.test('more come in while there is time left and somebody waits, up to a bound', async (t) => {
  const places = makePlaces(limits)
  t.equal(places.count(), 32)
  t.equal(after(places, 50, { ...idle, waiting: 0 }), 32, 'nobody waits')
  t.equal(after(places, 50, { ...idle, lateMs: 300 }), 32, 'who is in waits for long already')
  t.equal(after(places, 1, idle), 40)
  t.equal(after(places, 50, idle), 256)
})

t.test('who is full lets fewer in, and never none; what is half full is left as it is', async (t) => {
  const places = makePlaces(limits)
  t.equal(after(places, 50, { ...idle, busy: 0.9 }), 32)
  t.ok(after(places, 1, full) < 32)
  t.equal(after(places, 50, full), 16)
  t.ok(after(places, 10, idle) > 100, 'and more again when the load is gone')
  t.equal(after(makePlaces({ least: 16, first: 32, most: 4 }), 9, full), 4, 'the most that is allowed wins')
})

/**
 * A process that needs 5 ms of its one core for a newcomer, who takes `tripMs` of waiting for bytes beside it: so many are
 * in at a time as keep it full, whatever the line.
 */
const settled = (tripMs: number) => {
  const places = makePlaces(limits)
  let sum = 0
  for (let at = 0; at < 100; at++) {
    const bySlots = (places.count() / tripMs) * 1000
    const perSecond = Math.min(200, bySlots)
    places.look({ busy: perSecond / 200, lateMs: bySlots > 200 ? 300 : 5, waiting: 500 })
    if (at >= 50) sum += perSecond
  }
  return sum / 50
}

t.test('by slow lines as by quick ones as many come in a second as the process bears', async (t) => {
  for (const tripMs of [20, 100, 500, 1000]) t.ok(settled(tripMs) > 150, `${tripMs} ms: ${settled(tripMs)} a second`)
})
