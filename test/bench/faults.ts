import { randomUUID } from 'node:crypto'
import { runFaults } from '../faults/campaign.ts'
import type { Bench } from './row.ts'

const kills = 50

/** kill -9 of agent, controller and writer, 50 times each, under load, with a line that breaks and goes silent. */
export const faultsBench: Bench = {
  names: ['faults.lost', 'faults.duplicated'],
  async run(progress) {
    const seed = process.env.SEED ?? randomUUID().slice(0, 8)
    progress(`seed ${seed}: ${kills} kills of each part, 20 cuts, 8 silences`)
    const verdict = await runFaults({ seed, kills, cuts: 20, silences: 8, tell: progress })
    const { lines, torn, sentAgain, lost, duplicated, troubles } = verdict
    progress(`seed ${seed}: ${lines} lines, ${torn} torn at a kill and told, ${sentAgain} sent again`)
    // A figure of nothing lost would be worth nothing beside a count that does not fit.
    if (troubles.length > 0 && lost + duplicated === 0) throw new Error(troubles.join('; '))
    const row = { unit: 'events', better: 'lower', target: 0, reference: null } as const
    return [
      { name: 'faults.lost', value: lost, ...row },
      { name: 'faults.duplicated', value: duplicated, ...row },
    ]
  },
}
