import t from 'tap'
import { admitted } from '../../../controller/baselines/admit.ts'
import { hourOfWeek, sameHourOfDay, weekOf } from '../../../controller/baselines/hours.ts'
import { mergeFeatures, mergeProfiles } from '../../../controller/baselines/merge.ts'
import { seededRandom } from '../../../shared/random.ts'
import { type Feature, feature, type SampleFeature } from '../../../shared/schemas/baseline.ts'
import type { FeatureWindow } from '../../../shared/schemas/observation.ts'
import { kolmogorovSmirnov } from '../../../shared/statistics/index.ts'

const random = seededRandom('merge')
const sample = (values: number[], n = values.length): SampleFeature => ({ form: 'sample', unit: 'ms', n, values })
const drawn = (size: number, from: number, to: number) =>
  Array.from({ length: size }, () => from + (to - from) * random())

const anyFeature = (form: Feature['form']): Feature => {
  const n = Math.floor(random() * 2000)
  const mix = Object.fromEntries(Array.from({ length: n % 70 }, (_, i) => [`kind ${i}`, 1 + Math.floor(random() * 9)]))
  return {
    sample: sample(drawn(Math.min(n, 512), 0, 100), n),
    rate: { form: 'rate' as const, count: n, seconds: 1 + n },
    share: { form: 'share' as const, part: Math.floor(n / 3), of: n },
    mix: { form: 'mix' as const, counts: Object.fromEntries(Object.entries(mix).slice(0, 64)) },
  }[form]
}
/** What has to be exact whatever is merged in whatever order. */
const exact = (one: Feature): unknown => {
  if (one.form === 'sample') return one.n
  if (one.form === 'mix') return Object.values(one.counts).reduce((sum, count) => sum + count, 0)
  return one
}

t.test('sums are exact in any order, and what comes out fits the contract', async (t) => {
  for (const form of ['sample', 'rate', 'share', 'mix'] as const)
    for (let round = 0; round < 25; round++) {
      const [a, b, c] = [anyFeature(form), anyFeature(form), anyFeature(form)]
      const left = mergeFeatures(mergeFeatures(a, b, random), c, random)
      const right = mergeFeatures(a, mergeFeatures(b, c, random), random)
      t.same(exact(left), exact(right), form)
      t.same(exact(left), exact(mergeFeatures(c, mergeFeatures(b, a, random), random)))
      t.ok(feature.safeParse(left).success, `${form} fits`)
    }
})

t.test('a sample is drawn from both by how many each stands for, in either order of merging', async (t) => {
  // 4000 low, 1000 high: a fifth of the draw is high, however it was put together.
  const parts = () =>
    [sample(drawn(512, 0, 10), 3000), sample(drawn(512, 0, 10), 1000), sample(drawn(512, 90, 100), 1000)] as const
  const shareHigh = (one: Feature) =>
    one.form === 'sample' ? one.values.filter((value) => value > 50).length / one.values.length : Number.NaN
  const [left, right]: number[][] = [[], []]
  const pooled: { left: number[]; right: number[] } = { left: [], right: [] }
  for (let round = 0; round < 40; round++) {
    const [a, b, c] = parts()
    const [x, y] = [
      mergeFeatures(mergeFeatures(a, b, random), c, random),
      mergeFeatures(a, mergeFeatures(b, c, random), random),
    ]
    left?.push(shareHigh(x))
    right?.push(shareHigh(y))
    if (x.form === 'sample' && y.form === 'sample') {
      t.equal(x.values.length, 512)
      pooled.left.push(...x.values.slice(0, 50))
      pooled.right.push(...y.values.slice(0, 50))
    }
  }
  const mean = (values: number[] | undefined) => (values ?? []).reduce((sum, value) => sum + value, 0) / 40
  t.ok(Math.abs(mean(left) - 0.2) < 0.015, `${mean(left)}`)
  t.ok(Math.abs(mean(right) - 0.2) < 0.015, `${mean(right)}`)
  t.ok(kolmogorovSmirnov(pooled.left, pooled.right).p > 0.001, 'the same distribution')
})

t.test('few values that stand for many do not pull the draw to the others', async (t) => {
  const merged = mergeFeatures(sample(drawn(48, 0, 10), 5000), sample(drawn(512, 90, 100), 512), random)
  t.equal(merged.form === 'sample' && merged.n, 5512)
  const high = merged.form === 'sample' ? merged.values.filter((value) => value > 50).length : Number.NaN
  t.ok(high < 20, `${high} of the others`)
  t.same(
    exact(
      mergeProfiles([{ interarrival: sample([], 3) }, { interarrival: sample([7]) }], random).interarrival as Feature,
    ),
    4,
  )
})

t.test('only what is normal enters a baseline', async (t) => {
  const id = '01900000-0000-7000-8000-000000000001'
  const window = (more: Partial<FeatureWindow>): FeatureWindow => ({
    type: 'window',
    at: '2026-11-21T15:00:00Z',
    seconds: 60,
    subject: { kind: 'decoy', decoy: id, port: 22 },
    service: 'ssh',
    profile: {
      'response.delay': sample([1.23456789]),
      'tcp.window': { ...sample([64240]), unit: 'bytes' },
      'request.rate': { form: 'rate', count: 0, seconds: 60 },
      'error.share': { form: 'share', part: 0, of: 0 },
      'client.kind': { form: 'mix', counts: { a: 1 } },
    },
    drift: 'none',
    missed: 0,
    ...more,
  })
  t.strictSame(admitted(window({}))?.['response.delay'], sample([1.23457]))
  t.strictSame(Object.keys(admitted(window({})) ?? {}), ['response.delay', 'tcp.window', 'request.rate', 'client.kind'])
  t.equal(admitted(window({ drift: '0123456789abcdef' })), undefined, 'drift in force')
  t.equal(admitted(window({ drift: undefined })), undefined, 'it changed in between')
  const real = { kind: 'service', cidr: '198.18.1.0/24', ip: '198.18.1.9', port: 22 } as const
  t.ok(admitted(window({ drift: undefined, subject: real })), 'a real service has no drift')
  t.strictSame(Object.keys(admitted(window({ missed: 2 })) ?? {}), ['tcp.window', 'client.kind'], 'packets were missed')
  const busy = admitted(window({ profile: { interarrival: sample(drawn(512, 0, 9), 1_000_000) } }))
  t.match(busy, { interarrival: { n: 1024 } }, 'one window does not speak for a week')
})

t.test('hours of the week', async (t) => {
  t.equal(hourOfWeek(Date.parse('2026-11-16T00:59:59Z')), 0, 'Monday')
  t.equal(hourOfWeek(Date.parse('2026-11-22T23:00:00Z')), 167, 'Sunday')
  t.equal(weekOf(Date.parse('2026-11-22T23:59:59Z')) + 1, weekOf(Date.parse('2026-11-23T00:00:00Z')))
  t.same(sameHourOfDay(30), [6, 30, 54, 78, 102, 126, 150])
})
