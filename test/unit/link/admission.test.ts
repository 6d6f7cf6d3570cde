import t from 'tap'
import { type AdmissionLimits, makeAdmission } from '../../../controller/link/admission.ts'
import { seededRandom } from '../../../shared/random.ts'

const limits: AdmissionLimits = { atOnce: 4, waiting: 20, waitMs: 15_000 }

const quiet = { busy: 0, lateMs: 0 }

function door(given: Partial<AdmissionLimits> = {}) {
  const state = { now: 0, busy: false }
  const admission = makeAdmission({ ...limits, ...given }, { now: () => state.now, busy: () => state.busy })
  const entered: string[] = []
  const away: string[] = []
  const come = (name: string, address = name) =>
    admission.come({ address, enter: () => entered.push(name), turnAway: () => away.push(name) })
  return { state, admission, entered, away, come }
}

t.test('so many are let in at a time; the next when one is settled, gone, or slow', async (t) => {
  const { state, admission, entered, come } = door()
  const places = Array.from({ length: 10 }, (_, i) => come(`${i}`))
  t.same(entered, ['0', '1', '2', '3'])
  places[2]?.leave()
  places[2]?.leave()
  t.equal(entered.length, 5, 'leaving twice gives one place')
  state.now = 10_000
  admission.tick(quiet)
  t.equal(entered.length, 9, 'who says nothing keeps its place from nobody')
  places[0]?.leave()
  t.equal(entered.length, 9, 'and gives none back when it leaves at last')
  t.match(admission.standing(), { entering: 4, waiting: 1, mostEntering: 4 })
})

t.test('who waits too long, or comes when too many wait, is turned away; who left is not', async (t) => {
  const { state, admission, away, come } = door()
  const places = Array.from({ length: 30 }, (_, i) => come(`${i}`))
  t.equal(away.length, 6)
  t.equal(admission.standing().waiting, 20)
  places[5]?.leave()
  state.now = 9_999
  admission.tick(quiet)
  t.equal(away.length, 6)
  state.now = 15_000
  admission.tick(quiet)
  t.notOk(away.includes('5'))
  t.equal(admission.standing().waiting, 0)
  t.equal(away.length, 21, 'four more came in at last, all others were told to come later')
})

t.test('one address that comes often keeps no other out', async (t) => {
  const { admission, entered, away, come } = door()
  const places = new Map(Array.from({ length: 100 }, (_, i) => [`flood ${i}`, come(`flood ${i}`, 'one')]))
  for (let i = 0; i < 5; i++) places.set(`other ${i}`, come(`other ${i}`, `198.18.0.${i}`))
  t.ok(away.every((name) => name.startsWith('flood')))
  for (let i = 0; i < 10; i++) places.get(entered[i] ?? '')?.leave()
  for (let i = 0; i < 5; i++) t.ok(entered.includes(`other ${i}`), 'their turn comes')
  admission.close()
  t.equal(admission.standing().waiting, 0)
})

t.test('while work waits, newcomers come in by a few, and never none', async (t) => {
  const { state, entered, come } = door({ atOnce: 64, waiting: 100 })
  state.busy = true
  const places = Array.from({ length: 50 }, (_, i) => come(`${i}`))
  t.equal(entered.length, 16)
  places[0]?.leave()
  t.equal(entered.length, 17)
  state.busy = false
  places[1]?.leave()
  t.equal(entered.length, 50)
})

t.test(
  'whatever comes and goes: bounds hold, each is let in or turned away at most once, none is forgotten',
  async (t) => {
    for (let run = 0; run < 50; run++) {
      const random = seededRandom(`admission ${run}`)
      const { state, admission, entered, away, come } = door({ atOnce: 1 + Math.floor(random() * 6) })
      const places = new Map<string, { leave(): void }>()
      for (let step = 0; step < 400; step++) {
        const name = `${step}`
        if (random() < 0.6) places.set(name, come(name, `${Math.floor(random() * 8)}`))
        const some = [...places.keys()][Math.floor(random() * places.size)]
        if (some !== undefined && random() < 0.5) {
          places.get(some)?.leave()
          places.delete(some)
        }
        state.busy = random() < 0.2
        state.now += Math.floor(random() * 400)
        if (random() < 0.5) admission.tick(quiet)
        const { entering, waiting } = admission.standing()
        if (entering > 6 || waiting > limits.waiting) t.fail(`${entering} entering, ${waiting} waiting`)
      }
      state.busy = false
      // Those who are in get settled, one after the other: so all who wait come in.
      for (let at = 0; at < entered.length; at++) places.get(entered[at] ?? '')?.leave()
      const seen = [...entered, ...away]
      t.equal(new Set(seen).size, seen.length)
      t.match(admission.standing(), { entering: 0, waiting: 0 })
      const asked = [...places.keys()].filter((name) => !seen.includes(name))
      t.same(asked, [], 'who stayed was let in or turned away')
    }
  },
)
