import t from 'tap'
import { effectAt, effectWords, expectedAt } from '../../../controller/drift/index.ts'
import type { Profile } from '../../../shared/schemas/baseline.ts'
import { type Drift, type DriftEffect, mostDelayMs } from '../../../shared/schemas/drift.ts'

const error = (kind: 'busy' | 'disk' | 'refused' | 'reset' | 'timeout', share = 0.1): DriftEffect => ({
  type: 'error',
  kind,
  share,
})
const alteration = (what: 'listing' | 'fields'): DriftEffect => ({ type: 'alteration', what, share: 0.1 })
const baseline: Profile = {
  'response.delay': { form: 'sample', unit: 'ms', n: 100, values: Array.from({ length: 100 }, () => 20) },
  'error.share': { form: 'share', part: 0, of: 100 },
}

t.test('Cowrie takes all; packets take what can be done to packets', async (t) => {
  for (const effect of [error('busy'), error('disk'), alteration('listing')]) t.equal(effectAt(effect, 'cowrie'), '')
  t.match(effectAt(error('busy'), 'tcp'), /wait of 3000 ms/)
  t.equal(effectAt(error('busy'), 'tcp', 'as 421 to who connects'), 'as 421 to who connects')
  t.equal(effectAt(error('disk'), 'tcp'), undefined)
  t.equal(effectAt(alteration('listing'), 'tcp'), undefined)
  t.match(effectAt(alteration('fields'), 'tcp'), /digits/)
  t.equal(effectAt(alteration('fields'), 'udp'), undefined)
  t.match(effectAt(error('refused'), 'cowrie'), /further sessions/)
  t.equal(effectAt(error('refused'), 'tcp'), '', 'what is open stays')
  t.match(effectAt(error('timeout'), 'tcp'), /never opens/)
  t.match(effectAt(error('refused'), 'udp'), /ICMP/)
  t.equal(effectAt(error('timeout'), 'udp'), '')
  t.equal(effectAt(error('reset'), 'udp'), undefined)
})

t.test('what is expected of a port follows from what it takes', async (t) => {
  const of = (...effects: DriftEffect[]): Drift => ({ seed: 's', effects })
  t.match(expectedAt(baseline, of(error('busy')), 'cowrie'), { 'error.share': { part: 10 } })
  const web = expectedAt(baseline, of(error('busy')), 'tcp')
  t.match(web, { 'error.share': { part: 0 } })
  const delays = web['response.delay']
  t.equal(delays?.form === 'sample' && delays.values.filter((value) => value === 20 + mostDelayMs).length, 10)
  t.strictSame(expectedAt(baseline, of(error('busy')), 'tcp', true), baseline, 'who says it is not late')
  t.strictSame(expectedAt(baseline, of(error('disk')), 'tcp'), baseline, 'nothing at that port')
  t.match(expectedAt(baseline, of(error('disk'), error('refused')), 'tcp'), { 'error.share': { part: 10 } })
  const asked: Profile = { ...baseline, 'request.rate': { form: 'rate', count: 1100, seconds: 3600 } }
  t.match(
    expectedAt(asked, of(error('reset', 0.12)), 'tcp'),
    { 'error.share': { part: 75 } },
    'of 11 answers one is enough',
  )
  t.match(expectedAt(asked, of(error('timeout')), 'tcp'), { 'error.share': { part: 0 } }, 'silence is no reset')
  const failing = of(error('refused'), error('reset', 0.05), error('timeout', 0.05))
  t.strictSame(expectedAt(baseline, failing, 'udp'), baseline, 'a datagram that is refused is no error')
  t.match(expectedAt(baseline, of(error('busy'), error('refused')), 'udp'), { 'error.share': { part: 0 } })
})

t.test('effects are told in words with their numbers', async (t) => {
  t.equal(
    effectWords({ type: 'latency', form: 'load', ms: 12.5, spread: 0 }),
    'answers wait 12.5 ms for each other session that is open',
  )
  t.equal(
    effectWords({ type: 'latency', form: 'jitter', ms: 100, spread: 0.5 }),
    'each answer waits about 100 ms, half of them 71.4 to 140 ms',
  )
  t.match(effectWords({ type: 'schedule', hours: [23, 0, 4] }), /from 4:00 to 5:00 and from 23:00 to 1:00 of/)
})
