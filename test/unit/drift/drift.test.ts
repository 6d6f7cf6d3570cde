import t from 'tap'
import { chooseArm, defaultRules, learn } from '../../../controller/drift/bandit.ts'
import {
  type Beliefs,
  causesOf,
  compare,
  composed,
  effectOf,
  expectedProfile,
  generateDrift,
  type Instance,
  type LoadIn,
} from '../../../controller/drift/index.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { Profile } from '../../../shared/schemas/baseline.ts'
import { driftType, intensity, mostDelayMs } from '../../../shared/schemas/drift.ts'
import { calm, drawProfile } from '../../drift/simulated-profiles.ts'

const baseline = drawProfile(calm, 2000, seededRandom('baseline'))

t.test('the same seed gives the same drift, within its bounds, stronger with each intensity', async (t) => {
  for (const type of driftType.options) {
    const drifts = intensity.options.map((one) => generateDrift(baseline, type, one, 'seed'))
    t.strictSame(
      drifts,
      intensity.options.map((one) => generateDrift(baseline, type, one, 'seed')),
      type,
    )
    const strength = drifts.map(({ effects: [effect] }) => {
      if (!effect) throw new Error('no effect')
      if (effect.type === 'latency') return effect.form === 'load' ? 4 * effect.ms : effect.ms
      return effect.type === 'schedule' ? effect.hours.length : effect.share
    })
    t.ok((strength[0] ?? 0) < (strength[1] ?? 0) && (strength[1] ?? 0) < (strength[2] ?? 0), `${type}: ${strength}`)
    t.ok(strength.every((one) => one <= mostDelayMs))
  }
  const broken = ['a', 'b', 'c'].map((seed) => generateDrift(baseline, 'error', 'high', seed)) as never
  t.throws(() => composed(broken), /errors add up to 0\.36 of all answers; at most 0\.3/)
})

t.test('what was done on purpose is no finding, and without knowing it the feature is named', async (t) => {
  const drift = composed([
    generateDrift(baseline, 'latency', 'medium', 'one'),
    generateDrift(baseline, 'error', 'high', 'two'),
  ])
  const drifted = expectedProfile(drawProfile(calm, 2000, seededRandom('other')), { ...drift, seed: 'as it came' }, 2)
  t.match(compare(expectedProfile(baseline, drift, 2), drifted), { score: 0, tooFew: [] })
  const { score, findings } = compare(baseline, drifted)
  t.ok(score > 50, `${score}`)
  t.match(findings[0], { feature: 'response.delay', significant: true, words: /half below .* ms, .* expected/ })
  t.strictSame(
    findings
      .filter(({ significant }) => significant)
      .map(({ feature }) => feature)
      .sort(),
    ['error.share', 'response.delay'],
  )
})

t.test('too few observations say nothing', async (t) => {
  const few: Profile = {
    'error.share': { form: 'share', part: 5, of: 5 },
    'client.kind': { form: 'mix', counts: { a: 3 } },
  }
  t.strictSame(compare(baseline, few), { score: 0, findings: [], tooFew: ['error.share', 'client.kind'] })
})

t.test('network, shortage and interference are told apart', async (t) => {
  const slow = compare(baseline, expectedProfile(baseline, generateDrift(baseline, 'latency', 'high', 's'), 3)).findings
  const strange = compare(baseline, {
    ...baseline,
    'partner.kind': { form: 'mix', counts: { stranger: 500 } },
  }).findings
  const still = compare(baseline, baseline).findings
  /** A decoy of which such a part of the answers was slow, where a tenth is. */
  const at = (id: string, findings: Instance['findings'], share = findings === slow ? 0.9 : 0.1): Instance => ({
    ...{ id, decoy: id, kind: 'decoy', appliance: 'a', segment: 's', findings },
    tracks: [{ feature: 'response.delay', usual: 0.1, moments: [{ from: 0, to: 60_000, n: 100, slow: 100 * share }] }],
  })
  const idle: LoadIn = () => ({ cpu: 0.2, memory: 0.4, throttled: false })
  const short: LoadIn = () => ({ cpu: 0.97, memory: 0.4, throttled: false })
  const causes = (all: Instance[], load: LoadIn) =>
    causesOf(all, load).map(({ kind, instances }) => `${kind} ${instances.join()}`)
  const all = [at('1', slow), at('2', slow), at('3', slow), at('4', still)]
  t.strictSame(causes(all, idle), ['network 1', 'network 2', 'network 3'])
  t.strictSame(causes(all, short), ['shortage 1', 'shortage 2', 'shortage 3'])
  t.match(causesOf(all, short)[0]?.because, /3 of 4 decoys .*97 % busy/)
  t.strictSame(causes([at('1', strange), at('2', still), at('3', still)], idle), ['interference 1'])
  t.strictSame(
    causes([at('1', strange), at('2', slow), at('3', slow), at('4', slow)], idle),
    ['interference 1', 'network 2', 'network 3', 'network 4'],
    'what no network moves is somebody’s, whatever the network does',
  )
  t.strictSame(causes([at('1', strange), at('2', strange), at('3', strange)], idle).slice(0, 1), ['unclear 1'])
  t.strictSame(causes([at('1', still), at('2', still)], short), [])
  t.strictSame(causes([at('1', slow), at('2', still)], idle), ['unclear 1'], 'two are too few')
  t.strictSame(causes([at('1', slow), at('2', slow), at('3', still), at('4', still)], idle), ['unclear 1', 'unclear 2'])

  const onset = (share: number) => [at('1', slow), at('2', still, share), at('3', still, share), at('4', still)]
  t.strictSame(causes(onset(0.6), idle), ['network 1', 'network 2', 'network 3'], 'at its beginning only one is sure')
  t.strictSame(
    causes(onset(0.25), idle),
    ['interference 1'],
    'what one decoy does to the others of its machine is far less than what is done to it',
  )
})

t.test('the bandit keeps a control group, goes up step by step, and rests what drives away', async (t) => {
  const random = seededRandom('rails')
  let beliefs: Beliefs = {}
  const first = Array.from({ length: 300 }, () => chooseArm({}, 'x', random))
  t.notOk(
    first.some((arm) => /medium|high/.test(arm)),
    'only low intensities at first',
  )
  for (let i = 0; i < 40; i++) {
    beliefs = learn(beliefs, 'x', 'none', 2 + random() * 0.2)
    beliefs = learn(beliefs, 'x', 'latency.low', 1 + random() * 0.2)
    beliefs = learn(beliefs, 'x', 'error.low', 3 + random() * 0.2)
  }
  const later = Array.from({ length: 1000 }, () => chooseArm(beliefs, 'x', random))
  const share = (arm: string) => later.filter((one) => one === arm).length / later.length
  t.equal(share('latency.low'), 0, 'worse than none for certain')
  t.ok(share('none') > defaultRules.control / 2 && share('none') < 0.2, `control ${share('none')}`)
  t.ok(share('error.low') + share('error.medium') > 0.5, 'what engages is chosen')
})

t.test('the effect is a ratio with an interval that holds no effect where there is none', async (t) => {
  const random = seededRandom('effect')
  const group = (n: number, mean: number) => Array.from({ length: n }, () => mean * (0.5 + random()))
  const [one, other, more] = [group(300, 2), group(300, 2), group(300, 3)]
  const [same, raised] = [effectOf(one, other), effectOf(more, one)]
  if (!same || !raised) throw new Error('a group is empty')
  t.ok(same.low < 1 && same.high > 1, `${same.low} to ${same.high}`)
  t.ok(raised.low > 1.3 && raised.high < 1.7 && raised.p < 1e-9, `${raised.low} to ${raised.high}`)
  t.equal(effectOf([], one), undefined)
})
