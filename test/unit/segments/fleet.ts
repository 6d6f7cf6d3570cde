import type { Test } from 'tap'
import { auditTables } from '../../../controller/audit/index.ts'
import {
  condemnedTables,
  decoyAddressesIn,
  decoyTables,
  makeDecoyStateProjector,
} from '../../../controller/decoys/index.ts'
import { personaOriginTables, personaTables } from '../../../controller/personas/index.ts'
import {
  leftTables,
  makeInventoryProjector,
  segmentActivityTables,
  segmentTables,
} from '../../../controller/segments/index.ts'
import { coreTables } from '../../../controller/store/core-tables.ts'
import type { Migration, Store } from '../../../controller/store/port.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import type { BusEvent } from '../../../controller/work/port.ts'
import type { Clock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import type { StreamRecord } from '../../../shared/schemas/envelope.ts'

export const startedAt = Date.parse('2026-11-21T05:00:00Z')
export const iso = (offsetSeconds: number) => new Date(startedAt + offsetSeconds * 1000).toISOString()

/** A clock that a test moves. It never sleeps. */
export function testClock(): Clock & { move(seconds: number): void } {
  let now = startedAt
  return {
    now: () => now,
    move: (seconds) => {
      now += seconds * 1000
    },
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true })),
  }
}

type Inventory = StreamRecord<'inventory'>
type State = StreamRecord<'state'>

/** A real database with one site, one segment and one online appliance enrolled for it; `more`: tables of other rooms. */
export async function testFleet(t: Test, more: readonly Migration[] = []) {
  const store: Store = openSqlite(`${t.testdir()}/db.sqlite`, [
    coreTables,
    segmentTables,
    personaTables,
    personaOriginTables,
    decoyTables,
    condemnedTables,
    auditTables,
    segmentActivityTables,
    leftTables,
    ...more,
  ])
  t.teardown(() => store.close())
  const clock = testClock()
  const ids = { site: newId(startedAt), segment: newId(startedAt), agent: newId(startedAt) }
  await store.run('INSERT INTO sites VALUES (?, ?)', ids.site, 'hq')
  await store.run('INSERT INTO segments (id, site, name) VALUES (?, ?, ?)', ids.segment, ids.site, 'office')
  await store.run(
    "INSERT INTO agents (id, name, roles, status, enrolled_at, presence) VALUES (?, 'box', '[\"decoys\"]', 'enrolled', ?, 'online')",
    ids.agent,
    iso(0),
  )
  await store.run('INSERT INTO agent_segments (agent, segment) VALUES (?, ?)', ids.agent, ids.segment)
  const inventory = makeInventoryProjector({ clock, decoysIn: decoyAddressesIn })
  const states = makeDecoyStateProjector()
  let pos = 0
  return {
    store,
    clock,
    ids,
    see: (...records: Inventory[]): Promise<BusEvent[]> =>
      store.tx((sql) =>
        inventory.project(
          sql,
          records.map((record) => ({
            pos: ++pos,
            agent: ids.agent,
            stream: 'inventory',
            receivedAt: record.at,
            record,
          })),
        ),
      ),
    tell: (...records: State[]): Promise<BusEvent[]> =>
      store.tx((sql) =>
        states.project(
          sql,
          records.map((record) => ({ pos: ++pos, agent: ids.agent, stream: 'state', receivedAt: record.at, record })),
        ),
      ),
  }
}

export const cidr = '198.18.1.0/24'
export const card = (more: Partial<Extract<Inventory, { type: 'segment' }>> = {}): Inventory => ({
  type: 'segment',
  at: iso(0),
  cidr,
  nic: 'eth0',
  address: '198.18.1.2',
  mac: '00:50:56:aa:00:02',
  gateway: '198.18.1.1',
  dns: ['198.18.1.3'],
  ...more,
})

export const host = (n: number, more: Partial<Extract<Inventory, { type: 'host' }>> = {}): Inventory => ({
  type: 'host',
  at: iso(1),
  cidr,
  ip: `198.18.1.${n}`,
  mac: `00:50:56:00:00:${String(n).padStart(2, '0')}`,
  vendor: 'VMware',
  names: [`web${n}.corp.example`],
  depth: 'detail',
  ports: [{ port: 22, proto: 'tcp', service: 'ssh', product: 'OpenSSH', version: '9.2p1 Debian 2+deb12u3' }],
  os: [{ name: 'Linux 5.X', family: 'Linux', accuracy: 95 }],
  ...more,
})

export const scan = (phase: 'quick' | 'detail', at: number): Inventory => ({
  type: 'scan',
  at: iso(at),
  id: newId(startedAt),
  cidr,
  phase,
  outcome: 'done',
  startedAt: iso(at - 5),
  finishedAt: iso(at),
  targets: 254,
  hostsUp: 6,
})
