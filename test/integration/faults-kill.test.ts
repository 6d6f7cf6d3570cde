import { randomUUID } from 'node:crypto'
import t from 'tap'
import { runFaults } from '../faults/campaign.ts'

const seed = process.env.SEED ?? randomUUID().slice(0, 8)
const kills = Number(process.env.KILLS ?? 8)

// A run of all 50 kills takes minutes.
t.setTimeout(60_000 + kills * 20_000)

t.test(
  `agent, controller and writer killed ${kills} times each under load, the line cut and silent: 0 lost, 0 doubled`,
  async (t) => {
    const verdict = await runFaults({ seed, kills, cuts: 4, silences: 2, tell: (what) => t.comment(what) })
    const { lines, torn, sentAgain, seconds } = verdict
    t.comment(`seed ${seed}: ${lines} lines, ${torn} torn, ${sentAgain} sent again, ${Math.round(seconds)} s`)
    t.strictSame(verdict.troubles, [], `seed ${seed}`)
    t.match(verdict, { lost: 0, duplicated: 0, kills: { agent: kills, controller: kills, writer: kills } })
    t.ok(lines > 1000 && torn > 0, 'under load, in the middle of lines')
  },
)
