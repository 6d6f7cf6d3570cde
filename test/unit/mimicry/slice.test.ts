import t from 'tap'
import { makeAccounts } from '../../../agent/mimicry/accounts.ts'
import { type SliceOptions, sliceOf, targetsFor } from '../../../agent/mimicry/slice.ts'
import { toldBy } from '../../../agent/mimicry/told.ts'
import type { MimicryPlan, TrafficPattern } from '../../../shared/schemas/mimicry.ts'

const hour = 3_600_000
const from = Date.parse('2026-03-02T09:00:00Z')
const steps = (low: number, high: number) => Array.from({ length: 32 }, (_, i) => low + ((high - low) * i) / 31)
const pattern = (kind: string): TrafficPattern => ({
  kind,
  hourly: Array.from({ length: 24 }, (_, h) => (h >= 8 && h < 18 ? 400 : 20)),
  burst: 0.5,
  gapMs: [500, 900, 4000],
  exchanges: [1, 2, 3],
  classes: [{ share: 1, request: steps(60, 200), response: steps(300, 4000), pauseMs: steps(5, 80) }],
  n: 500,
})
const patterns = [pattern('dns'), pattern('https'), pattern('mdns')]
const place = { ip: '198.18.1.3', names: [] }
const plan: MimicryPlan = {
  seed: 's',
  mimicryLevel: 'high',
  instantiations: 2,
  parameterVariation: 0.1,
  driftThreshold: 30,
  mostAnHour: 100,
  mostBytesAnHour: 400_000,
  targets: [
    { role: 'resolver', ...place, port: 53, proto: 'udp' },
    { role: 'peer', ...place, port: 21_000, proto: 'tcp' },
  ],
  patterns: [],
}
const options: SliceOptions = { plan, patterns, draws: [0, 0], measured: new Map() }

t.test(
  'slices are pieces of one hour: the same however they are cut, within both bounds, all over the hour',
  async (t) => {
    const whole = sliceOf(options, from, from + hour)
    const pieces = [0, 1, 2, 3, 4, 5].flatMap(
      (i) => sliceOf(options, from + (i * hour) / 6, from + ((i + 1) * hour) / 6).asked,
    )
    t.strictSame(pieces, whole.asked)
    for (const instance of [0, 1]) {
      const own = whole.asked.filter((one) => one.instance === instance)
      t.ok(own.length > 20 && own.length <= plan.mostAnHour, `${own.length} of instance ${instance}`)
      t.ok(
        own.some(({ at }) => at > from + hour * 0.8),
        'the bound cuts everywhere, not the end',
      )
    }
    const bytes = whole.asked.flatMap(({ exchanges }) => exchanges).reduce((sum, [a, b]) => sum + a + b, 0)
    t.ok(bytes <= plan.mostBytesAnHour)
    t.ok(whole.bounded.every((count) => count > 0))
    const few = sliceOf({ ...options, plan: { ...plan, mostAnHour: 5 } }, from, from + hour)
    t.ok([0, 1].every((i) => few.asked.filter(({ instance }) => instance === i).length === 5))
    t.notSame(sliceOf({ ...options, draws: [1, 0] }, from, from + hour).asked, whole.asked)
  },
)

t.test('a kind goes where it can be answered, and nowhere else', async (t) => {
  t.same(
    targetsFor('dns', plan.targets).map(({ role }) => role),
    ['resolver'],
  )
  t.same(
    targetsFor('https', plan.targets).map(({ role }) => role),
    ['peer'],
  )
  t.same(targetsFor('mdns', plan.targets), [])
  t.same(targetsFor('ntp', plan.targets), [], 'no peer is asked for the time')
  const clock = { role: 'clock', ...place, port: 123, proto: 'udp' } as const
  t.same(targetsFor('ntp', [...plan.targets, clock]), [clock])
  t.same(targetsFor('dns', plan.targets.slice(1)), [])
  t.ok(sliceOf(options, from, from + hour).asked.every(({ kind }) => kind !== 'mdns'))
  const slow = new Map([['198.18.1.3:21000', { connectMs: 50 }]])
  const pause = (of: SliceOptions) =>
    sliceOf(of, from, from + hour)
      .asked.filter(({ kind }) => kind === 'https')
      .flatMap(({ exchanges }) => exchanges.map(([, , ms]) => ms))
      .reduce((sum, ms) => sum + ms, 0)
  t.ok(pause({ ...options, measured: slow }) > 1.2 * pause(options), 'a longer way makes longer pauses')
})

t.test('what the pod says is counted, and what it may not say is not', async (t) => {
  const accounts = makeAccounts(1)
  const head = { id: 1, instance: 0, kind: 'dns', role: 'resolver', ip: '198.18.1.3', port: 53 }
  const had = { at: from, exchanges: [[40, 80, 0]], bytes: 120, connectMs: 1 }
  const say = (said: object) => {
    const told = toldBy(JSON.stringify(said))
    if (told) accounts.add(told, from)
    return told !== undefined
  }
  t.ok(say({ type: 'done', ...head, ...had }))
  t.ok(say({ type: 'failed', ...head, ...had, why: 'no answer' }))
  t.ok(say({ type: 'bounded', ...head, why: 'mostAnHour' }))
  t.notOk(say({ type: 'done', ...head, instance: 99, ...had }))
  t.equal(toldBy('{'), undefined)
  t.strictSame(accounts.spent(from), { hour: from / hour, made: { 0: 2 }, bytes: 240 })
  t.strictSame(accounts.take(), [{ planned: 0, done: 1, failed: 1, bytes: 240, bounded: 1 }])
  t.strictSame(accounts.spent(from + hour), { hour: from / hour + 1, made: {}, bytes: 0 })
})
