import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../../controller/config.ts'
import { migrations } from '../../../controller/serve/database.ts'
import type { Sql, Store } from '../../../controller/store/port.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import {
  boxViewsOf,
  composeUpdate,
  findRollout,
  makeRolloutActions,
  makeRolloutConductor,
  makeUpdateProjector,
  newcomersOf,
  noteRunning,
  rolloutPolicy,
} from '../../../controller/updates/index.ts'
import { insertRelease } from '../../../controller/updates/releases.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import type { ReleaseManifest, UpdatePhase, UpdateState } from '../../../shared/schemas/update.ts'

export const minute = 60_000
const sha256 = 'a'.repeat(64)

/** Power that goes: the transaction it fell into never was. */
export class Killed extends Error {}

/** A controller's database and its conductor of rollouts, on a clock that a test moves; boxes tell what the test has them tell. */
export async function rolloutWorld(t: { teardown(work: () => unknown): void }, size: number) {
  const folder = mkdtempSync(join(tmpdir(), 'marshlight-updates-'))
  const store = openSqlite(join(folder, 'db.sqlite'), migrations)
  t.teardown(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const time = { now: Date.parse('2026-03-01T00:00:00Z') }
  const clock = { now: () => time.now, sleep: async () => {} }
  const iso = () => new Date(time.now).toISOString()
  let statementsLeft = Number.POSITIVE_INFINITY
  /** Ends the process, as it were, after so many statements more. */
  const killable: Store = {
    ...store,
    tx: (work) =>
      store.tx((sql) => {
        const counted = <A extends unknown[], R>(call: (...args: A) => R) =>
          ((...args: A) => {
            if (--statementsLeft < 0) throw new Killed('power went')
            return call(...args)
          }) as typeof call
        return work({ all: counted(sql.all), get: counted(sql.get), run: counted(sql.run) } as Sql)
      }),
  }
  const config = parseConfig('{}', 'config.json')
  const deps = { store: killable, bus: makeBus(), clock, config, log: silentLog }
  const actions = makeRolloutActions({ clock }, async () => new Map())
  const projector = makeUpdateProjector(deps)
  const agents = Array.from({ length: size }, (_, i) => ({ id: newId(time.now - 1000 + i), name: `box-${i}` }))
  await store.tx(async (sql) => {
    for (const { id, name } of agents) await add(sql, id, name, '1.0.0')
  })
  async function add(sql: Sql, id: string, name: string, version: string): Promise<void> {
    await sql.run(
      `INSERT INTO agents (id, name, roles, status, enrolled_at, presence) VALUES (?, ?, '["decoys"]', 'enrolled', ?, 'online')`,
      id,
      name,
      iso(),
    )
    await noteRunning(sql, id, iso(), { arch: 'amd64', agent: version })
  }

  return {
    ...{ store, time, clock, agents, actions },
    /** A release that is here; what its files hold matters to nobody. */
    async release(version: string, sequence: number): Promise<void> {
      const part = { component: 'agent', arch: 'amd64', version, file: `${version}.deb`, bytes: 1000, sha256 } as const
      const manifest: ReleaseManifest = {
        kind: 'release',
        version,
        sequence,
        createdAt: iso(),
        notes: '',
        parts: [part],
      }
      const row = { version, sequence, key: 'KEY', addedAt: iso(), signature: 'signed' }
      await store.tx((sql) => insertRelease(sql, { ...row, manifestText: JSON.stringify(manifest) }))
    },
    async start(version: string, policy: object): Promise<string> {
      const { id } = await store.tx((sql) => actions.plan(sql, { version, policy: rolloutPolicy.parse(policy) }))
      await store.tx((sql) => actions.start(sql, id))
      return id
    },
    /** One look of a conductor that begins with this call and ends with it, maybe in the midst of it. */
    async look(statements = Number.POSITIVE_INFINITY): Promise<void> {
      statementsLeft = statements
      await makeRolloutConductor(deps)
        .look()
        .catch((error) => {
          if (!(error instanceof Killed)) throw error
        })
      statementsLeft = Number.POSITIVE_INFINITY
    },
    desired: (agent: string) => composeUpdate(store, agent).then(({ update }) => update),
    tell: (rollout: string, agent: string, phase: UpdatePhase) =>
      store.tx((sql) => {
        const running = { arch: 'amd64' as const, agent: phase === 'confirmed' ? '1.1.0' : '1.0.0' }
        const record: UpdateState = { type: 'update', at: iso(), rollout, version: '1.1.0', phase, running }
        return projector.project(sql, [{ pos: 1, agent, stream: 'state', receivedAt: iso(), record }])
      }),
    rollout: (id: string) => findRollout(store, id),
    boxes: async (id: string) => boxViewsOf(store, await findRollout(store, id)),
    newcomers: async (id: string) => newcomersOf(store, await findRollout(store, id)),
    /** A box that is new. */
    async enrol(name: string, version = '1.0.0'): Promise<string> {
      const id = newId(time.now)
      await store.tx((sql) => add(sql, id, name, version))
      agents.push({ id, name })
      return id
    },
    presence: (agent: string, status: 'online' | 'offline') =>
      store.run('UPDATE agents SET presence = ? WHERE id = ?', status, agent),
  }
}

export type RolloutWorld = Awaited<ReturnType<typeof rolloutWorld>>

/** Each box does the next thing that its plan asks of it; with `random`, some of them. */
export async function liveOn(world: RolloutWorld, rollout: string, phases: Map<string, UpdatePhase>, random = () => 1) {
  const after: Partial<Record<UpdatePhase, UpdatePhase>> = { installing: 'trial', trial: 'confirmed' }
  for (const { id } of world.agents) {
    const wish = await world.desired(id)
    const phase = phases.get(id)
    if (wish?.rollout !== rollout || random() < 0.3) continue
    const next: UpdatePhase | undefined =
      phase === undefined
        ? 'fetching'
        : phase === 'fetching'
          ? 'fetched'
          : phase === 'fetched'
            ? wish.step === 'install'
              ? 'installing'
              : undefined
            : after[phase]
    if (next === undefined) continue
    phases.set(id, next)
    await world.tell(rollout, id, next)
  }
}
