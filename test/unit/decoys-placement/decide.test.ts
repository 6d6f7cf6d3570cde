import t from 'tap'
import { decide, mostTries, noAddressPauseMs, type Situation } from '../../../controller/decoys/decide.ts'

const now = 1_800_000_000_000
const wanted = { perSegment: 3, waitForDetailMs: 90_000 }
const segment: Situation = {
  segment: 's1',
  name: 'office',
  agents: [
    { id: 'a2', decoys: 1 },
    { id: 'a1', decoys: 4 },
  ],
  quickDone: now - 1000,
  detailDone: now - 500,
  decoys: [],
  givenUp: 0,
}
const decoy = (id: string, more: Partial<Situation['decoys'][number]> = {}): Situation['decoys'][number] => ({
  id,
  hostname: id,
  origin: 'placement',
  agentRevoked: false,
  tries: 0,
  createdAt: now - 10_000,
  ...more,
})
const { detailDone: _detail, ...quickOnly } = segment
const { quickDone: _quick, ...unseen } = quickOnly
const types = (situation: Situation, at = now) => decide(situation, wanted, at).steps.map(({ type }) => type)

t.test('nothing is placed before the first inventory', async (t) => t.same(decide(unseen, wanted, now), { steps: [] }))

t.test('with a quick pass only, the first waits for details up to the limit, the others much longer', async (t) => {
  t.same(decide(quickOnly, wanted, now), { steps: [], nextAt: now - 1000 + 90_000 })
  t.same(types(quickOnly, now + 90_000), ['deploy'])
  t.same(types({ ...quickOnly, decoys: [decoy('d1')] }, now + 90_000), [])
  t.same(types({ ...segment, decoys: [decoy('d1')] }), ['deploy'])
})

t.test('the appliance with the fewest decoys gets the next; without one online there is none', async (t) => {
  t.match(decide(segment, wanted, now).steps, [{ type: 'deploy', agent: 'a2' }])
  t.same(types({ ...segment, agents: [] }), [])
})

t.test('decoys of responses do not count as the segment’s own', async (t) => {
  t.same(types({ ...segment, decoys: [decoy('r1', { origin: 'response' }), decoy('r2', { origin: 'admin' })] }), [
    'deploy',
  ])
  t.same(types({ ...segment, decoys: ['d1', 'd2', 'd3'].map((id) => decoy(id)) }), [])
})

t.test('too many are brought down by the newest', async (t) => {
  const decoys = [1, 2, 3, 4].map((n) => decoy(`d${n}`, { createdAt: now - 1000 * n }))
  t.match(decide({ ...segment, decoys }, wanted, now).steps, [{ type: 'retire', decoy: 'd1' }])
})

t.test('a lost address is replaced, a bounded number of times', async (t) => {
  const others = [decoy('d2'), decoy('d3')]
  const lost = (tries: number) => [
    decoy('d1', { phase: 'withdrawn', phaseReason: 'taken by a host', tries }),
    ...others,
  ]
  t.match(decide({ ...segment, decoys: lost(0) }, wanted, now).steps, [
    { type: 'readdress', decoy: 'd1', because: /taken by a host/ },
  ])
  t.same(types({ ...segment, decoys: lost(mostTries) }), ['give-up'])
  t.same(types({ ...segment, decoys: others, givenUp: 1 }), [])
})

t.test('what was seen to be unsafe waits for an administrator, and nothing takes its place', async (t) => {
  const condemned = decoy('d1', { phase: 'condemned', phaseReason: 'a way out', retireAt: now - 1 })
  t.same(decide({ ...segment, decoys: [condemned, decoy('d2'), decoy('d3')] }, wanted, now), { steps: [] })
  t.match(decide({ ...segment, decoys: [{ ...condemned, agentRevoked: true }] }, wanted, now).steps, [
    { type: 'retire', decoy: 'd1' },
    { type: 'deploy' },
  ])
})

t.test('what is due to go goes, and its time is told before', async (t) => {
  const decoys = [decoy('d1', { retireAt: now + 5000 }), decoy('d2'), decoy('d3')]
  t.same(decide({ ...segment, decoys }, wanted, now), { steps: [], nextAt: now + 5000 })
  t.match(decide({ ...segment, decoys }, wanted, now + 5000).steps, [
    { type: 'retire', decoy: 'd1' },
    { type: 'deploy' },
  ])
})

t.test('decoys of a revoked appliance go', async (t) => {
  t.match(decide({ ...segment, agents: [], decoys: [decoy('d1', { agentRevoked: true })] }, wanted, now).steps, [
    { type: 'retire', decoy: 'd1' },
  ])
})

t.test('a segment without a free address is left alone for a while', async (t) => {
  t.same(decide({ ...segment, noAddressAt: now }, wanted, now + 1), { steps: [], nextAt: now + noAddressPauseMs })
  t.same(types({ ...segment, noAddressAt: now }, now + noAddressPauseMs), ['deploy'])
})
