/**
 * Runs the timing probes in the namespace it is started in, by a clock that is twenty times as fast. Messages in: {plan},
 * {hosts}, {stop}; out: what is told.
 */
import { makeTiming } from '../../agent/timing/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { HostSeen } from '../../shared/schemas/inventory.ts'

const faster = 20
const given = JSON.parse(process.argv[2] ?? '') as {
  nics: { cidr: string; nic: string; address: string; mac: string; dns: string[] }[]
  ownDecoys: { ip: string; mac: string }[]
}
const say = (message: object) => void process.send?.(message)
const begun = systemClock.now()
let hosts: HostSeen[] = []

const timing = makeTiming({
  report: async (_stream, records) => {
    for (const record of records) say(record)
  },
  clock: {
    now: () => begun + (systemClock.now() - begun) * faster,
    sleep: (ms, signal) => systemClock.sleep(ms / faster, signal),
  },
  random: systemRandom,
  log: makeLog('timing', 'error'),
  nics: async () => given.nics,
  hosts: () => hosts,
  ownDecoys: () => given.ownDecoys,
})
process.on('message', async (message: { plan?: Plan; hosts?: HostSeen[]; stop?: true }) => {
  if (message.hosts) hosts = message.hosts
  if (message.plan) timing.applyPlan(message.plan)
  if (message.stop) {
    await timing.stop()
    process.disconnect()
  }
})
await timing.start(new AbortController().signal)
say({ type: 'running' })
