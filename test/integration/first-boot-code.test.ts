import t, { type Test } from 'tap'
import { loadIdentity } from '../../agent/enrol/index.ts'
import type { TypedCode } from '../../agent/enrol/typed-code.ts'
import { systemClock } from '../../shared/clock.ts'
import { codeText } from '../../shared/enrolment-code.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'
import { boot, makeBox } from './first-boot-box.ts'

const dayMs = 86_400_000

async function world(t: Test) {
  const { dataDir, ports } = await enrolledBefore(t, 0, [])
  const { api } = await serving(t, dataDir)
  const controller = `127.0.0.1:${ports.enrol}`
  const invite = async (more: object = {}): Promise<TypedCode> => {
    const body = { segment: 'office', name: 'gate-1', codeMinutes: 60, ...more }
    const { items } = await api.post<{ items: { code: string }[] }>('/v1/agents/invite', body)
    return { controller, code: items[0]?.code ?? '' }
  }
  const agents = async () => (await api.get<{ items: unknown[] }>('/v1/agents')).items.length
  return { controller, invite, agents, box: makeBox(await tempFolder(t)) }
}

t.test(
  'a wrong one is told, a good one serves, also with a clock of 1970 that is busy when it is to be set',
  async (t) => {
    const { controller, invite, agents, box } = await world(t)
    const good = await invite()
    const foreign = { controller, code: codeText({ secret: '01234567', verifier: '0123456789AB' }) }
    const nobody = { controller: '127.0.0.1:1', code: good.code }
    const queue = [undefined, nobody, undefined, foreign, undefined, good]
    let off = -systemClock.now() + dayMs
    let refusals = 1
    const { ended, told } = boot(box, {
      clock: { now: () => systemClock.now() + off, sleep: async () => {} },
      takeTyped: () => queue.shift(),
      isSynchronized: async () => false,
      async setClock(ms) {
        if (refusals-- > 0) throw new Error('date: busy')
        off = ms - systemClock.now()
      },
    })
    await ended
    t.ok(refusals < 0, 'what passes makes a good code not be forgotten')
    t.match(await loadIdentity(box.stateDir), { name: 'gate-1' })
    t.equal(await agents(), 1)
    t.ok(Math.abs(off) < 60_000, 'the clock was set by the controller whose code it is')
    const troubles = told.filter(({ takesCode }) => takesCode).map(({ trouble }) => trouble?.message)
    const wrong = [/127\.0\.0\.1:1 does not answer/, /was not made by the controller/, /busy/]
    t.match(troubles, [undefined, ...wrong], 'it may be typed again after each')
    t.equal(troubles.length, 4)
  },
)

t.test('while one is tried again that is for another place, another may be typed, and wins', async (t) => {
  const { invite, box } = await world(t)
  const queue: (TypedCode | undefined)[] = [await invite({ from: ['198.18.3.0/24'] })]
  const good = await invite({ name: 'gate-2' })
  const shown: (boolean | undefined)[] = []
  let takesCode: boolean | undefined
  let rounds = 0
  const { ended, told } = boot(box, {
    clock: {
      now: systemClock.now,
      async sleep() {
        shown.push(takesCode)
        if (rounds++ === 2 && takesCode) queue.push(good)
        if (rounds > 6) throw new Error('the other code was not taken')
      },
    },
    takeTyped: () => queue.shift(),
    tell(progress) {
      told.push(progress)
      takesCode = progress.takesCode ?? takesCode
    },
  })
  await ended
  t.ok(told.some(({ trouble }) => trouble?.code === 'TOKEN_MISPLACED'))
  t.same(shown, [true, true, true], 'also while the first is tried anew')
  t.match(await loadIdentity(box.stateDir), { name: 'gate-2' })
})
