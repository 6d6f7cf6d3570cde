import t, { type Test } from 'tap'
import { setDrift } from '../../../controller/drift/index.ts'
import { driftMark } from '../../../shared/drift-mark.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { DriftEffect } from '../../../shared/schemas/drift.ts'
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
  const pass = async (minutes: number, mark: string, more: Partial<Visits> = {}) => {
    const windows = Array.from({ length: minutes / 5 }, () => {
      world.clock.advance(5 * minute)
      const profile = visited({ service, connections: 10, answers: 11, effects: [], ...more }, random)
      return world.window(0, profile, { subject: { kind: 'decoy', decoy, port }, service, drift: mark })
    })
    await world.commit('features', windows)
  }
  await pass(240, 'none')
  return {
    /** What detection says of an hour under such a drift. */
    async under(effects: DriftEffect[], times = 1) {
      const drift = { seed: 's', effects }
      await world.store().tx((sql) => setDrift(sql, { decoy, drift, by: 'admin', reason: 'test', at: world.at() }))
      await pass(60, driftMark({ everyone: drift, views: [] }), { effects, times })
      return (await world.look())[0]
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
