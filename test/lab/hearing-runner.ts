/** Listens in the namespace it is started in. Messages in: {plan}, {stop}; out: what is told, {conversations}. */
import { startCardDump } from '../../agent/capture/index.ts'
import { makeHearing } from '../../agent/hearing/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'

const { stateDir, nics } = JSON.parse(process.argv[2] ?? '') as {
  stateDir: string
  nics: { nic: string; cidr: string; mac: string }[]
}
const say = (message: object) => void process.send?.(message)
const hearing = makeHearing({
  stateDir,
  report: async (_stream, records) => {
    for (const record of records) say(record)
  },
  clock: systemClock,
  random: systemRandom,
  log: makeLog('hearing', 'error'),
  nics: async () => nics,
  ownDecoys: () => [],
  listen: async (nic, how, onBytes) => {
    const dump = await startCardDump(nic, how, onBytes)
    say({ type: 'listening', pid: dump.pid })
    return dump
  },
  onConversations: async (_cidr, conversations) => say({ type: 'conversations', conversations }),
})
process.on('message', async ({ plan, stop }: { plan?: Plan; stop?: true }) => {
  if (plan) hearing.applyPlan(plan)
  if (stop) {
    await hearing.stop()
    process.disconnect()
  }
})
await hearing.start(new AbortController().signal)
say({ type: 'running' })
