import t from 'tap'
import { levelOf } from '../../../controller/detection/index.ts'
import { type SubjectStreams, withWindow } from '../../../controller/detection/streams.ts'
import { whoseIs } from '../../../controller/detection/whose.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { FeatureName } from '../../../shared/schemas/baseline.ts'
import { calm, drawProfile } from '../../drift/simulated-profiles.ts'
import { alarmsIn, simulatedRounds } from '../../drift/simulated-rounds.ts'

t.test(
  'without drift at most one round in a hundred has a false alarm at a level of 1 %, and no day at the real one',
  async (t) => {
    // Rounds that overlap are not independent: many short runs, each with baselines of its own.
    let alarms = 0
    for (let run = 0; run < 60; run++)
      alarms += await alarmsIn({ decoys: 3, rounds: 10, level: 0.01, perWindow: 4, seed: `calm/${run}` })
    t.ok(alarms <= 0.01 * 600, `${alarms} of 600 rounds`)
    t.equal(await alarmsIn({ decoys: 3, rounds: 288, level: levelOf(300), perWindow: 4, seed: 'day' }), 0)
  },
)

t.test('at the real level a median that doubled is found in every round', async (t) => {
  const truth = { ...calm, delayMs: 2 * calm.delayMs }
  for await (const standings of simulatedRounds({
    decoys: 3,
    rounds: 5,
    level: levelOf(300),
    perWindow: 8,
    seed: 'x',
    truth,
  }))
    for (const { score, top } of standings) t.ok(score > 50 && top?.feature === 'response.delay', `${score}`)
})

t.test('streams without drift change nowhere; the level of the day is shared by its rounds', async (t) => {
  let found = 0
  for (let stream = 0; stream < 20; stream++) {
    const random = seededRandom(`streams/${stream}`)
    let streams: SubjectStreams | undefined
    for (let i = 0; i < 1000; i++) {
      const profile = drawProfile(calm, 8, random)
      const after = withWindow(streams, { subject: { kind: 'decoy', decoy: 'd', port: 80 }, drift: 'none', profile })
      streams = after.streams
      found += after.changes.length
    }
  }
  t.equal(found, 0)
  t.equal(levelOf(300) * 288, 0.01)
})

t.test('where a decoy asks, the answers are others’, and what mimicry does by the hour is its plan’s', async (t) => {
  const [web, self, mimicry] = [
    { kind: 'decoy', decoy: 'd', port: 80 },
    { kind: 'decoy', decoy: 'd' },
    { kind: 'mimicry', decoy: 'd', instance: 0 },
  ] as const
  const of = (feature: FeatureName) => [web, self, mimicry].map((one) => whoseIs(one, feature))
  t.strictSame(of('response.delay'), ['own', 'visitors', 'visitors'], 'a peer under drift is no drift of who asks it')
  t.strictSame(of('partner.kind'), ['visitors', 'own', 'visitors'], 'a decoy that speaks to others of a sudden is')
  t.strictSame(of('session.rate'), ['visitors', 'own', 'visitors'])
  t.strictSame(of('tcp.window'), ['visitors', 'own', 'own'])
  t.strictSame(of('path.delay'), ['way', 'way', 'way'])
})
