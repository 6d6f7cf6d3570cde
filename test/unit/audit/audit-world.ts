import type { Test } from 'tap'
import { alertTables } from '../../../controller/alerts/index.ts'
import { makeAuditProjector, makeConductor } from '../../../controller/audit/index.ts'
import { parseConfig } from '../../../controller/config.ts'
import { makeDecoyActions } from '../../../controller/decoys/index.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import type { AuditFinding, AuditReport } from '../../../shared/schemas/audit.ts'
import type { Reply, Request } from '../../../shared/schemas/desired-state.ts'
import { card, host, iso, scan, testFleet } from '../segments/fleet.ts'

/** A fleet with one fresh decoy, a conductor of audits, and an agent that answers as a test says. */
export async function auditWorld(t: Test) {
  const fleet = await testFleet(t)
  const { store, clock, ids } = fleet
  for (const statement of alertTables.statements) await store.run(statement)
  const config = parseConfig('{"decoys":{"audit":{"limit":60,"touchEveryHours":0}}}', 'config.json')
  const actions = makeDecoyActions({ config, clock, random: systemRandom })
  const bus = makeBus()
  const asked: Request['op'][] = []
  let answer = async (): Promise<Reply> => ({ id: newId(), at: iso(0), ok: true })
  const send = async (_: string, op: Request['op']) => {
    asked.push(op)
    return answer()
  }
  const deps = { config, dataDir: '', store, bus, clock, random: systemRandom, log: silentLog, requests: { send } }
  const conductor = makeConductor(deps)
  await fleet.see(card(), host(10), host(11), scan('quick', 5), scan('detail', 10))
  await actions.warm()
  const done = await store.tx((sql) =>
    actions.deployOne(sql, ids.segment, 'a test', { by: 'admin', family: 'debian-12' }),
  )
  const ready = (personaVersion: number) =>
    fleet.tell({
      type: 'decoy',
      at: new Date(clock.now()).toISOString(),
      decoy: done.decoy,
      revision: 1,
      phase: 'ready',
      ip: done.ip,
      personaVersion,
      attempts: 0,
      restarts: 0,
      readyAt: new Date(clock.now()).toISOString(),
    })
  const projector = makeAuditProjector({ config, clock, actions })
  let pos = 0
  /** The report of the run that is under way, with so much of 100 equal. */
  async function report(score: number, personaVersion: number, from = ids.agent, more: AuditFinding[] = []) {
    const op = asked.findLast((one) => one.name === 'audit')
    if (op?.name !== 'audit') throw new Error('no audit was asked for')
    const of = { area: 'ssh', seen: '', expected: '', words: 'as told' } as const
    const record: AuditReport = {
      type: 'audit',
      at: new Date(clock.now()).toISOString(),
      id: op.audit,
      decoy: done.decoy,
      persona: newId(),
      personaVersion,
      revision: 1,
      // Not believed: the controller counts for itself.
      score: 100,
      beside: [],
      findings: [
        { ...of, probe: 'a', verdict: 'equal', weight: 10 },
        ...Array.from({ length: 9 }, (_, i) => ({
          ...of,
          probe: `b${i}`,
          verdict: (i + 2) * 10 <= score ? ('equal' as const) : ('differs' as const),
          weight: 10,
        })),
        ...more,
      ],
      tookMs: 1000,
    }
    return store.tx((sql) =>
      projector.project(sql, [{ pos: ++pos, agent: from, stream: 'state', receivedAt: record.at, record }]),
    )
  }
  const look = async () => {
    await conductor.look()
    // What was sent is answered at once; its end is a turn of the loop away.
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const kinds = () => asked.map(({ name }) => name)
  const reply = (next: () => Promise<Reply>) => {
    answer = next
  }
  return { ...fleet, asked, kinds, look, ready, report, reply, actions, decoy: done.decoy, ip: done.ip, config }
}
