import t from 'tap'
import { levelOf } from '../../../controller/detection/index.ts'
import { calm } from '../../drift/simulated-profiles.ts'
import { sessionRound } from '../../drift/simulated-rounds.ts'

const sessions = { windows: 5, part: 0.5 }

t.test('answers of long sessions are alike, and no drift for that; each for itself they would be', async (t) => {
  let [told, naive] = [0, 0]
  for (let i = 0; i < 50; i++) {
    const round = await sessionRound({ seed: `kept/${i}`, level: 0.01, perWindow: 5, sessions })
    if (round.told.length > 0) told++
    if (round.naive.length > 0) naive++
  }
  t.ok(told === 0, `${told} of 50 rounds`)
  t.ok(naive > 15, `${naive} of 50 rounds if each answer were for itself`)
})

t.test('streams take each long session of another kind for a change, and none of it is told', async (t) => {
  const long = { level: levelOf(300), perWindow: 8, sessions: { windows: 12, part: 0.8 }, streams: true }
  let changes = 0
  for (let i = 0; i < 10; i++) {
    const { slow, told } = await sessionRound({ ...long, seed: `long/${i}` })
    changes += slow.length
    t.same(
      told.filter((one) => one.slow),
      [],
    )
  }
  t.ok(changes > 2, `${changes} changes in the hours of 10 decoys`)
})

t.test(
  'a median that became four times as long is found in them all the same, and at once where they are short',
  async (t) => {
    const truth = { ...calm, delayMs: 4 * calm.delayMs }
    for (const windows of [5, 1])
      for (let i = 0; i < 5; i++) {
        const { told } = await sessionRound({
          seed: `slow/${i}`,
          level: levelOf(300),
          perWindow: 5,
          sessions: { windows, part: 0.5 },
          truth,
        })
        t.ok(
          told.some(({ feature }) => feature === 'response.delay'),
          `sessions of ${windows}: ${told.map(({ feature }) => feature)}`,
        )
      }
  },
)
