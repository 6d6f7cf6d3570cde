import { join } from 'node:path'
import { enrol, loadIdentity, makeRenewal } from '../../agent/enrol/index.ts'
import { makeClient } from '../../controller/cli/client.ts'
import { readConfig } from '../../controller/config.ts'
import {
  type Invitation,
  initController,
  makeClaim,
  makeEnrolServer,
  openAuthority,
  tokenText,
} from '../../controller/fleet/index.ts'
import { databaseIn, migrations } from '../../controller/serve/database.ts'
import { serve, socketIn } from '../../controller/serve/index.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { makeBus } from '../../controller/work/bus.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import { freePort } from '../faults/controller.ts'
import { tempFolder } from '../unit/spool/records.ts'

type Test = Parameters<typeof tempFolder>[0]
const dayMs = 86_400_000
const host = '127.0.0.1'
const shared = { random: systemRandom, log: silentLog }

/** A new controller's folder, with free ports of loopback, and agents that enrolled with it for real `days` ago. */
export async function enrolledBefore(t: Test, days: number, names: readonly string[], settings: object = {}) {
  const folder = await tempFolder(t)
  const dataDir = join(folder, 'controller')
  const now = Date.now() - days * dayMs
  const clock = { now: () => now, sleep: systemClock.sleep }
  const ports = { mqtt: await freePort(), enrol: await freePort() }
  const config = { publicHost: host, mqtt: { host, port: ports.mqtt }, enrol: { host, port: ports.enrol }, ...settings }
  await initController({ dataDir, config, now })
  const store = openSqlite(databaseIn(dataDir), migrations)
  const authority = await openAuthority(dataDir)
  const deps = { ...shared, config: readConfig(dataDir), dataDir, store, bus: makeBus(), clock }
  const server = makeEnrolServer(deps, authority)
  await server.start(new AbortController().signal)
  const states: string[] = []
  for (const name of names) {
    const invitation: Invitation = { site: 'hq', segment: 'office', name, roles: ['enforcer'], hours: 1 }
    const { expiresAt: exp, ...claim } = await store.tx((sql) => makeClaim(sql, invitation, now))
    const token = tokenText({ ...claim, exp, ca: authority.caFingerprint, controller: `${host}:${ports.enrol}` })
    const stateDir = join(folder, name)
    await enrol({ stateDir, token, version: '0', now })
    states.push(stateDir)
  }
  await server.stop()
  await store.close()
  return { dataDir, ports, states }
}

/** A whole controller in this process, at the present time. */
export async function serving(t: Test, dataDir: string) {
  const running = await serve({ ...shared, dataDir, clock: systemClock })
  t.teardown(running.stop)
  return { ...running, api: makeClient(() => ({ socket: socketIn(dataDir) })) }
}

/** The part of an agent that renews, as a start after whatever happened before makes it; `came` when a certificate has come. */
export async function renewing(t: Test, stateDir: string, hardware?: Hardware) {
  const identity = await loadIdentity(stateDir)
  const came = Promise.withResolvers<void>()
  const own = { stateDir, identity, ...(hardware && { hardware }) }
  const deps = { ...shared, clock: systemClock, ...own, reconnect: () => came.resolve() }
  const renewal = makeRenewal(deps)
  t.teardown(renewal.stop)
  await renewal.start(new AbortController().signal)
  return Object.assign(renewal, { came: came.promise, identity })
}
