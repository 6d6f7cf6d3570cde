import t, { type Test } from 'tap'
import { baselineOf } from '../../../controller/baselines/index.ts'
import { clearDrift, setDrift } from '../../../controller/drift/index.ts'
import { markMet } from '../../../shared/drift-mark.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { Drift, DriftEffect } from '../../../shared/schemas/drift.ts'
import { type Visits, visited } from '../../drift/simulated-visits.ts'
import { makeWorld, minute } from './world.ts'

const latency = (form: 'fixed' | 'jitter', ms: number, spread = 0): DriftEffect => ({
  ...({ type: 'latency', form } as const),
  ms,
  spread,
})
const error = (kind: 'busy' | 'reset' | 'refused', share: number): DriftEffect => ({ type: 'error', kind, share })

/** A decoy with one service of its pod's, of which four hours without drift are known. */
async function known(t: Test, service: Visits['service']) {
  const world = await makeWorld(`${t.testdir()}/db.sqlite`, 1)
  t.teardown(() => world.close())
  const decoy = world.decoys[0] ?? ''
  const port = service === 'ftp' ? 21 : 443
  const random = seededRandom(service)
  type Met = { drift: Drift | null; times?: number; apart?: true }
  /** What everyone met and did, and beside it what those did who have a view. */
  const pass = async (minutes: number, ...met: Met[]) => {
    const windows = Array.from({ length: minutes / 5 }, () => {
      world.clock.advance(5 * minute)
      return met.map(({ drift, times = 1, apart }) => {
        const effects = drift?.effects ?? []
        const visits = { service, connections: apart ? 5 : 10, answers: 11, effects, times }
        const profile = visited(visits, random)
        if (apart) for (const rate of ['session.rate', 'request.rate'] as const) delete profile[rate]
        const more = { subject: { kind: 'decoy', decoy, port }, service, drift: markMet(drift) }
        return world.window(0, profile, { ...more, ...(apart && { apart }) })
      })
    })
    await world.commit('features', windows.flat())
    return (await world.look())[0]
  }
  const set = (drift: Drift, source?: string) =>
    world
      .store()
      .tx((sql) =>
        setDrift(sql, { decoy, drift, by: 'admin', reason: 'test', at: world.at(), ...(source && { source }) }),
      )
  await pass(240, { drift: null })
  return {
    ...{ world, decoy, port, pass, set },
    /** What detection says of an hour under such a drift. */
    async under(effects: DriftEffect[], times = 1) {
      const drift = { seed: 's', effects }
      await set(drift)
      return pass(60, { drift, times })
    },
  }
}

const asked: Record<Visits['service'], DriftEffect[][]> = {
  https: [[latency('fixed', 50)], [error('busy', 0.3)], [error('reset', 0.12)], [error('refused', 0.1)]],
  ftp: [[latency('jitter', 50, 0.5)], [error('busy', 0.3), latency('fixed', 10)], [error('reset', 0.3)]],
}
for (const service of ['https', 'ftp'] as const)
  t.test(`${service}: greetings and many answers a connection are as the drift in force has them`, async (t) => {
    const one = await known(t, service)
    for (const effects of asked[service]) {
      const name = JSON.stringify(effects)
      t.match(await one.under(effects), { score: 0 }, name)
      t.match(
        await one.under(effects, 4),
        { top: { feature: /\.delay$/ } },
        `${name}, and by itself four times as slow`,
      )
    }
  })

t.test(
  'a view of one source blinds nobody: everyone is held against what everyone met, and he against his',
  async (t) => {
    const { world, decoy, port, pass, set } = await known(t, 'https')
    const learned = async () => {
      const { profile } = await baselineOf(world.store(), { decoy, port })
      return profile['response.delay']?.form === 'sample' ? profile['response.delay'].n : 0
    }
    const drift = { seed: 'his', effects: [latency('fixed', 50)] }
    const other = { seed: 'another’s', effects: [latency('fixed', 50)] }
    const before = await learned()
    await set(drift, '198.18.1.77')
    await set(other, '198.18.1.78')
    const apart = true
    const all = await pass(30, { drift: null }, { drift, apart }, { drift: other, apart })
    t.match(all, { score: 0, tooFew: [] })
    t.ok((await learned()) > before, 'what everyone does is learned from')
    await world.store().tx((sql) => clearDrift(sql, { decoy, of: 'all', at: world.at(), why: 'test' }))
    const half = await pass(30, { drift: null })
    t.match(half, { score: 0 }, 'nobody has met it for half an hour, and it is known what it was')
    t.match(await pass(60, { drift: null, times: 4 }, { drift, apart }), { top: { feature: /\.delay$/ } })
    await pass(60, { drift: null })
    await set(other, '198.18.1.78')
    await world.store().tx((sql) => clearDrift(sql, { decoy, of: 'all', at: world.at(), why: 'at once' }))
    const his = await pass(60, { drift: null }, { drift: other, apart, times: 8 })
    t.match(his, { top: { feature: /\.delay$/, words: /5\d(\.\d)? expected/ } }, 'also where it was not for long')
  },
)
