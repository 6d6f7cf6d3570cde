import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanedUp } from './clean-up.ts'
import { type Controller, end, prepareController } from './controller.ts'
import { makeGateway } from './gateway.ts'
import { type Bench, percentileOf, type Row } from './row.ts'
import { until } from './until.ts'

const simulated = 200
const decisions = 30
const warmUp = 2
const near = '198.18.251.1'
const far = '198.18.251.2'

type Enforcement = { name: string; decided_at: string; enforced_at: string; confirmed_at: string }

/**
 * An administrator's decisions to block, one after another, until they are enforced by each agent of a fleet of 201.
 * The controller is a process of its own. 200 agents are simulated by another: each has its certificate and connection,
 * verifies what is signed, and reports; it has no packet filter. One is a real agent in the enforcer's role, in a
 * namespace, which persists the list, sets nftables and reads it back. A decision counts from its `made_at` to the time
 * at which an agent says that it is in force; all run on the clock of this machine.
 */
export const blockBench: Bench = {
  names: [
    'block.decision_to_enforced_p95',
    'block.decision_to_enforced_p50',
    'block.decision_to_confirmed_p95',
    'block.real_agent_p95',
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const gateway = makeGateway(cleanUp, randomBytes(3).toString('hex'), near, far)
      progress(`enrolling ${simulated} simulated agents and a real one`)
      const wishes = Array.from({ length: simulated }, (_, i) => ({ name: `sim-${i}`, roles: ['decoys' as const] }))
      const real = { name: 'gateway', roles: ['enforcer' as const] }
      const prepared = await prepareController(near, [...wishes, real])
      cleanUp.add(() => prepared.remove())
      const { identities } = prepared
      const controller = await prepared.start()
      const fleet = fork(join(import.meta.dirname, 'simulated-agents.ts'), {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      cleanUp.add(() => end(fleet))
      fleet.send({ identities: identities.slice(0, simulated) })
      await heard(fleet, 'connected', simulated)
      const own = identities[simulated]
      if (!own) throw new Error('the real agent was not enrolled')
      await gateway.start(own)
      await until(async () => {
        const { items } = await controller.api.get<{ items: { name: string; presence: string }[] }>('/v1/agents')
        return items.some(({ name, presence }) => name === 'gateway' && presence === 'online')
      }, 'the real agent is online')

      const pairs: Enforcement[] = []
      for (let i = 0; i < warmUp + decisions; i++) {
        const enforced = await decide(controller, fleet, i)
        if (i >= warmUp) pairs.push(...enforced)
        const done = i + 1 - warmUp
        if (done > 0 && done % 10 === 0) progress(`${done} of ${decisions} decisions enforced`)
      }
      return rowsOf(pairs)
    }),
}

async function decide(controller: Controller, fleet: ChildProcess, i: number): Promise<Enforcement[]> {
  const all = heard(fleet, 'acknowledged', i + 1)
  const body = { cidr: `198.19.${i}.7`, minutes: 60, reason: 'benchmark' }
  const { decision } = await controller.api.post<{ decision: { id: string } }>('/v1/blocks', body)
  await all
  let enforcement: Enforcement[] = []
  await until(async () => {
    ;({ enforcement } = await controller.api.get<{ enforcement: Enforcement[] }>(`/v1/blocks/${decision.id}`))
    return enforcement.length === simulated + 1
  }, 'every agent enforces the block')
  // Decisions of persons do not come back to back; what the last one left to do is not the next one's.
  await delay(100)
  return enforcement
}

function rowsOf(pairs: readonly Enforcement[]): Row[] {
  const times = (to: 'enforced_at' | 'confirmed_at', some = pairs) =>
    some.map((pair) => Date.parse(pair[to]) - Date.parse(pair.decided_at))
  const row = (name: string, value: number, target: number | null): Row => ({
    name: `block.${name}`,
    value,
    unit: 'ms',
    better: 'lower',
    target,
    reference: null,
  })
  const enforced = times('enforced_at')
  const realOnes = times(
    'enforced_at',
    pairs.filter(({ name }) => name === 'gateway'),
  )
  return [
    row('decision_to_enforced_p95', percentileOf(enforced, 95), 500),
    row('decision_to_enforced_p50', percentileOf(enforced, 50), null),
    row('decision_to_confirmed_p95', percentileOf(times('confirmed_at'), 95), null),
    row('real_agent_p95', percentileOf(realOnes, 95), 500),
  ]
}

/** Resolves when the simulated fleet says that `what` stands at `value`. */
function heard(fleet: ChildProcess, what: string, value: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(late)
      fleet.off('message', listen)
      fleet.off('exit', gone)
    }
    const listen = (message: unknown) => {
      if ((message as Record<string, number>)[what] !== value) return
      stop()
      resolve()
    }
    const gone = () => {
      stop()
      reject(new Error('the simulated agents ended'))
    }
    const late = setTimeout(() => {
      stop()
      reject(new Error(`the simulated agents did not say ${what} ${value} within 30 s`))
    }, 30_000)
    fleet.on('message', listen).on('exit', gone)
  })
}
