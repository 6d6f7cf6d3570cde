import { type Box, type Progress, plan } from '../../controller/updates/plan.ts'
import { seededRandom } from '../../shared/random.ts'
import { policyOf, ring, simulate } from '../unit/updates/simulated-fleet.ts'
import { type Bench, percentileOf } from './row.ts'

const agents = 1000
const policy = policyOf({
  rings: [ring('canary', 1), ring('10%', 10), ring('50%', 50), ring('100%', 100)],
  gateMinutes: 30,
})

/** One look of the planner at a fleet of a thousand simulated boxes, through a whole rollout by rings; the 95th of a hundred. */
export const fieldUpdatesBench: Bench = {
  names: ['update.plan_1000_ms'],
  async run(progress) {
    progress(`a rollout over ${agents} simulated boxes`)
    const random = seededRandom('updates bench')
    const fates = Array.from({ length: agents }, () => ({
      ...{ fetch: Math.floor(random() * 20), install: Math.floor(random() * 8), outcome: 'confirmed' as const },
      away: random() < 0.1 ? 0.5 : 0,
    }))
    const fleet = simulate(policy, fates, random)
    const tookMs: number[] = []
    for (let tick = 0; tick < 20_000 && fleet.status() === 'running'; tick++) {
      const [now, boxes]: [Progress, Box[]] = [{ ...fleet.progress }, [...fleet.boxes.values()]]
      const began = performance.now()
      plan(now, boxes)
      tookMs.push(performance.now() - began)
      fleet.tick()
    }
    if (fleet.status() !== 'done') throw new Error(`the rollout is ${fleet.status()}, not done`)
    return [
      {
        name: 'update.plan_1000_ms',
        value: percentileOf(tookMs, 95),
        unit: 'ms',
        better: 'lower',
        target: 50,
        reference: null,
      },
    ]
  },
}
