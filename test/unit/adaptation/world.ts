import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AdaptationPorts,
  makeAdaptation,
  makeAdaptationProjector,
  makeViews,
} from '../../../controller/adaptation/index.ts'
import { controllerConfig } from '../../../controller/config.ts'
import type { Deps } from '../../../controller/deps.ts'
import { clearDrift, inForce, setDrift, wasSetByHand } from '../../../controller/drift/index.ts'
import { migrations } from '../../../controller/serve/database.ts'
import { sessionProjector } from '../../../controller/sessions/index.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import type { BusEvent } from '../../../controller/work/port.ts'
import { makeRunner } from '../../../controller/work/runner.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { DecoyEvent } from '../../../shared/schemas/event.ts'
import { makeHandClock, startMs } from '../sessions/hand-clock.ts'

export const minute = 60_000
export const agent = newId(startMs)
export const decoys = [newId(startMs), newId(startMs + 1)] as const

type TestLike = { teardown(work: () => unknown): void }

/** Events to visits, views and beliefs, on a real database; two decoys; `stop` and `begin` restart all but the clock. */
export function makeWorld(t: TestLike, settings: object = {}, seed = 'world') {
  const dataDir = mkdtempSync(join(tmpdir(), 'adaptation-'))
  const clock = makeHandClock()
  const reconfigured: string[] = []
  const heard: BusEvent[] = []
  /** Ports whose usual answers were asked for. */
  const asked: number[] = []
  let number = 0
  let exempt = ''

  function begin(more: object = {}) {
    const config = controllerConfig.parse({ adaptation: { ...settings, ...more } })
    const store = openSqlite(join(dataDir, 'marshlight.db'), migrations)
    const bus = makeBus()
    bus.on('plan-changed', (event) => heard.push(event))
    const deps: Deps = { config, dataDir, store, bus, clock, random: seededRandom(seed), log: silentLog }
    const ports: AdaptationPorts = {
      setDrift,
      clearDrift,
      inForce,
      wasSetByHand,
      baselineOf: async (_sql, _decoy, port) => {
        asked.push(port)
        return {}
      },
      reconfigure: async (_sql, decoy) => {
        reconfigured.push(decoy)
        return { agent, what: 'a notice after log-in' }
      },
      isExempt: async () => (source) => source === exempt,
    }
    const views = makeViews({ ...deps, ports })
    const runner = makeRunner([sessionProjector, makeAdaptationProjector(deps, views, ports)], deps)
    return { store, bus, deps, runner, adaptation: makeAdaptation(deps, views, ports) }
  }
  let parts = begin()
  t.teardown(async () => {
    await parts.store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const world = {
    clock,
    heard,
    asked,
    reconfigured,
    get store() {
      return parts.store
    },
    exempt: (source: string) => {
      exempt = source
    },
    async prepare() {
      const [site, segment, at] = [newId(), newId(), new Date(startMs).toISOString()]
      await parts.store.tx(async (sql) => {
        await sql.run("INSERT INTO sites VALUES (?, 'hq')", site)
        await sql.run("INSERT INTO segments (id, site, name) VALUES (?, ?, 'lan')", segment, site)
        await sql.run(
          `INSERT INTO agents (id, name, roles, status, enrolled_at) VALUES (?, 'box', '["decoys"]', 'enrolled', ?)`,
          agent,
          at,
        )
        for (const [i, decoy] of decoys.entries())
          await sql.run(
            `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
             VALUES (?, ?, ?, '198.18.1.0/24', ?, ?, ?, 'p', 1, 'wanted', 'placement', ?, ?, '')`,
            ...[decoy, segment, agent, `198.18.1.${50 + i}`, `02:00:00:00:00:0${i}`, `web-0${i}`, at, at],
          )
      })
    },
    /** Commits events at the clock's time and lets everything follow from them. */
    async feed(events: readonly DecoyEvent[]) {
      await parts.store.tx(async (sql) => {
        await sql.run(
          `INSERT INTO streams (agent, stream, epoch, next) VALUES (?, 'events', 'one', 0) ON CONFLICT DO NOTHING`,
          agent,
        )
        for (const record of events)
          await sql.run(
            'INSERT INTO records (stream_id, number, received_at, body) VALUES (1, ?, ?, ?)',
            number++,
            new Date(clock.now()).toISOString(),
            JSON.stringify(record),
          )
      })
      await parts.runner.drain()
    },
    look: () => parts.adaptation.look(),
    /** As after a crash: everything but the database is new. */
    async restart(more: object = {}) {
      await parts.store.close()
      parts = begin(more)
    },
    event: (source: string, kind: DecoyEvent['kind'], more: Partial<DecoyEvent> = {}): DecoyEvent => ({
      type: 'event',
      at: new Date(clock.now()).toISOString(),
      decoy: decoys[0],
      persona: decoys[0],
      personaVersion: 1,
      revision: 1,
      service: 'ssh',
      kind,
      session: `s${source}`,
      src: { ip: source, port: 40000 },
      source: `cowrie.${kind}`,
      ...more,
    }),
  }
  return world
}
export type World = ReturnType<typeof makeWorld>
