import { makeBaselineProjector } from '../../../controller/baselines/index.ts'
import { controllerConfig } from '../../../controller/config.ts'
import { isDoubtful, makeDetector, makeStreamProjector } from '../../../controller/detection/index.ts'
import { makeMimicryProjector } from '../../../controller/mimicry/index.ts'
import { makeRiskJudge } from '../../../controller/risk/index.ts'
import { migrations } from '../../../controller/serve/database.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import type { BusEvent } from '../../../controller/work/port.ts'
import { makeRunner } from '../../../controller/work/runner.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { Profile } from '../../../shared/schemas/baseline.ts'
import { makeHandClock } from '../sessions/hand-clock.ts'

export const minute = 60_000

/** A controller's detection on a real database: one appliance with one segment and some decoys. */
export async function makeWorld(file: string, count: number) {
  const clock = makeHandClock()
  const bus = makeBus()
  const config = controllerConfig.parse({ publicHost: '198.18.0.2' })
  let store = openSqlite(file, migrations)
  const [site, segment, agent] = [newId(clock.now()), newId(clock.now()), newId(clock.now())]
  const decoys = Array.from({ length: count }, () => newId(clock.now()))
  const at = () => new Date(clock.now()).toISOString()
  await store.tx(async (sql) => {
    await sql.run('INSERT INTO sites VALUES (?, ?)', site, 'hq')
    await sql.run('INSERT INTO segments (id, site, name) VALUES (?, ?, ?)', segment, site, 'office')
    await sql.run(
      `INSERT INTO agents (id, name, roles, status, enrolled_at) VALUES (?, 'box', '["decoys"]', 'enrolled', ?)`,
      agent,
      at(),
    )
    await sql.run(`INSERT INTO agent_segments (agent, segment, cidr) VALUES (?, ?, '198.18.1.0/24')`, agent, segment)
    for (const [i, id] of decoys.entries())
      await sql.run(
        `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
         VALUES (?, ?, ?, '198.18.1.0/24', ?, ?, ?, 'p', 1, 'wanted', 'placement', ?, ?, '')`,
        id,
        segment,
        agent,
        `198.18.1.${i % 250}`,
        `02:00:00:00:${Math.floor(i / 256)}:${i % 256}`,
        `web-${i}`,
        at(),
        at(),
      )
  })
  const heard: BusEvent[] = []
  for (const name of ['alert', 'risk-crossed'] as const) bus.on(name, (event) => heard.push(event))

  let number = 0
  async function commit(stream: 'features' | 'health', records: readonly object[]): Promise<void> {
    await store.tx(async (sql) => {
      await sql.run(
        `INSERT INTO streams (agent, stream, epoch, next) VALUES (?, ?, 'e', 0) ON CONFLICT DO NOTHING`,
        agent,
        stream,
      )
      const row = await sql.get<{ id: number }>('SELECT id FROM streams WHERE agent = ? AND stream = ?', agent, stream)
      for (const record of records)
        await sql.run(
          'INSERT INTO records (stream_id, number, received_at, body) VALUES (?, ?, ?, ?)',
          row?.id ?? 0,
          number++,
          at(),
          JSON.stringify(record),
        )
    })
    await makeRunner(
      [
        makeBaselineProjector({ random: seededRandom('world'), isDoubtful }),
        makeStreamProjector(),
        makeMimicryProjector(),
      ],
      deps(),
    ).drain()
  }
  const deps = () => ({
    config,
    dataDir: '',
    store,
    bus,
    clock,
    random: seededRandom('world'),
    log: silentLog,
    judgeRisk: makeRiskJudge({ clock, config }),
  })
  const window = (decoy: number, profile: Profile, more: object = {}) => ({
    type: 'window',
    at: at(),
    seconds: 300,
    subject: { kind: 'decoy', decoy: decoys[decoy], port: 80 },
    service: 'http',
    profile,
    drift: 'none',
    missed: 0,
    ...more,
  })
  return {
    clock,
    config,
    decoys,
    segment,
    agent,
    heard,
    at,
    commit,
    window,
    store: () => store,
    look: () => makeDetector(deps()).look(),
    /** Windows of five minutes of each decoy, for so long. */
    async pass(minutes: number, profileOf: (decoy: number, i: number) => object | undefined): Promise<void> {
      for (let i = 0; i < minutes / 5; i++) {
        clock.advance(5 * minute)
        const records = decoys.map((_, decoy) => profileOf(decoy, i)).filter((one) => one !== undefined)
        await commit('features', records)
      }
    },
    async restart(): Promise<void> {
      await store.close()
      store = openSqlite(file, migrations)
    },
    close: () => store.close(),
  }
}
