import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type DecoysOptions, makeArp, makeDecoys } from '../../agent/decoys/index.ts'
import { makeDockerEngine } from '../../agent/engine/index.ts'
import type { Report } from '../../agent/spool/port.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { DesiredDecoy, Plan } from '../../shared/schemas/desired-state.ts'
import type { StreamRecord } from '../../shared/schemas/envelope.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import { plainPlan } from '../plain-plan.ts'
import { personaOf } from './cowrie-persona.ts'
import type { Segment } from './decoys-segment.ts'

export type StateRecord = StreamRecord<'state'>

/** The decoys room on a real engine in a segment, and what it reported. `known`: its state of before. */
export async function makeAppliance(
  t: Pick<Test, 'teardown'>,
  segment: Pick<Segment, 'nic' | 'cidr' | 'address'>,
  options: DecoysOptions = {},
  pod = 'marshlight/pod:dev',
  agent = newId(),
  known?: string,
) {
  const log = makeLog('decoys-lab', process.env.LAB_LOG ? 'debug' : 'silent')
  const stateDir = known ?? (await mkdtemp(join(tmpdir(), 'decoys-')))
  const engine = makeDockerEngine({
    socket: '/var/run/docker.sock',
    log,
    clock: systemClock,
    random: systemRandom,
    agentLabel: agent,
  })
  const records: StateRecord[] = []
  const listeners = new Set<() => void>()
  const report: Report = async (_, some) => {
    records.push(...(some as readonly StateRecord[]))
    for (const listener of listeners) listener()
  }
  const make = () =>
    makeDecoys(
      {
        engine,
        arp: makeArp({ log, clock: systemClock, random: systemRandom }),
        report,
        clock: systemClock,
        random: systemRandom,
        log,
        stateDir,
        images: {
          pod,
          cowrie: 'marshlight/cowrie:dev',
          services: 'marshlight/services:dev',
          web: 'marshlight/web:dev',
        },
        nics: async () => [{ nic: segment.nic, cidr: segment.cidr, address: segment.address }],
        agent,
        running: { arch: 'amd64' },
      },
      { firstRetryMs: 100, strayGraceMs: 500, probeEveryMs: 1000, ...options },
    )
  const decoys = make()
  t.teardown(async () => {
    await decoys.stop()
    await decoys.cleanup()
    await rm(stateDir, { recursive: true, force: true })
  })

  /** The first record, from `from` on, that fits; waits for it. */
  async function reported(fits: (record: StateRecord) => boolean, from = 0, seconds = 40): Promise<StateRecord> {
    const late = once(AbortSignal.timeout(seconds * 1000), 'abort').then(() => {
      throw new Error(`not reported: ${JSON.stringify(records.slice(from), null, 1)}`)
    })
    for (;;) {
      const found = records.slice(from).find(fits)
      if (found) return found
      let listener = () => {}
      const next = new Promise<void>((resolve) => {
        listener = resolve
        listeners.add(resolve)
      })
      await Promise.race([next, late])
      listeners.delete(listener)
    }
  }
  return { agent, engine, stateDir, records, reported, decoys, make }
}

export const decoyOf = (segment: Segment, host: number, hostname: string, more: Partial<DesiredDecoy> = {}) => ({
  id: newId(),
  cidr: segment.cidr,
  ip: segment.cidr.replace('0/24', String(host)),
  mac: `d4:ae:52:10:00:${host.toString(16).padStart(2, '0')}`,
  hostname,
  persona: personaOf(hostname, 1).id,
  personaVersion: 1,
  services: ['cowrie' as const],
  egress: [],
  limits: { memoryMb: 192, pids: 64, cpus: 1, connections: 64, connectionsPerSource: 16 },
  ...more,
})

export const planOf = (agent: string, revision: number, decoys: DesiredDecoy[], personas?: Persona[]): Plan =>
  plainPlan({ agent, revision, decoys, personas: personas ?? [personaOf('attic-nas', 1)] })

export const phase = (decoy: string, name: string) => (record: StateRecord) =>
  record.type === 'decoy' && record.decoy === decoy && record.phase === name
export const settled = (revision: number) => (record: StateRecord) =>
  record.type === 'document' && record.revision === revision

/** First line that the neighbour gets from port 22, through a socket in its namespace. */
export const bannerFrom = (segment: Segment, ip: string): string =>
  segment.onNeighbour('bash', '-c', `exec 3<>/dev/tcp/${ip}/22 && read -t 5 -r line <&3 && printf %s "$line"`).trim()

export const macOf = (segment: Segment, ip: string): string =>
  /lladdr (\S+)/.exec(segment.onNeighbour('ip', 'neigh', 'show', ip))?.[1] ?? ''
