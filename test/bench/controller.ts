import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Identity } from '../../agent/enrol/index.ts'
import { type ApiClient, makeClient } from '../../controller/cli/client.ts'
import { readConfig } from '../../controller/config.ts'
import type { Deps } from '../../controller/deps.ts'
import { enrol, initController, makeClaim, openAuthority, type Role } from '../../controller/fleet/index.ts'
import { databaseIn, migrations } from '../../controller/serve/database.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { makeBus } from '../../controller/work/bus.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import { certificateRequest } from '../integration/controller-csr.ts'

const program = join(import.meta.dirname, '../../controller/cli.ts')

export type Controller = { dataDir: string; api: ApiClient; child: ChildProcess }
export type Wish = { name: string; roles: Role[]; segment?: string }

export type Prepared = {
  dataDir: string
  identities: Identity[]
  /** Runs `marshlight serve` as a process of its own; resolves when it serves. */
  start(): Promise<Controller>
  /** Ends the process and removes its folder. */
  remove(): Promise<void>
}

/**
 * A controller that will listen at `host`, with `agents` enrolled before it starts, so that the enrolment server's limit
 * of requests does not stand in the way. `config` is laid over what is needed to listen.
 */
export async function prepareController(
  host: string,
  agents: readonly Wish[],
  config: Record<string, unknown> = {},
): Promise<Prepared> {
  const dataDir = await mkdtemp(join(tmpdir(), 'marshlight-bench-controller-'))
  let running: ChildProcess | undefined
  const remove = async () => {
    if (running) await end(running)
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const [mqtt, enrolment] = [await freePort(host), await freePort(host)]
    const own = { publicHost: host, mqtt: { host, port: mqtt }, enrol: { host, port: enrolment } }
    await initController({ dataDir, config: { ...own, ...config }, now: Date.now() })
    const identities = await enrolAll(dataDir, agents)
    const start = async () => {
      running = await serve(dataDir)
      return { dataDir, child: running, api: makeClient(() => ({ socket: join(dataDir, 'api.sock') })) }
    }
    return { dataDir, identities, start, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function serve(dataDir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, '--data', dataDir, 'serve', '--log', 'error'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the controller ended with ${code} before it served`)
  })
  failed.catch(() => undefined)
  await Promise.race([once(lines, 'line'), failed])
  return child
}

async function enrolAll(dataDir: string, agents: readonly Wish[]): Promise<Identity[]> {
  const config = readConfig(dataDir)
  const store = openSqlite(databaseIn(dataDir), migrations)
  try {
    const authority = await openAuthority(dataDir)
    const outside = { clock: systemClock, random: systemRandom, log: silentLog }
    const deps: Deps = { config, dataDir, store, bus: makeBus(), ...outside }
    const identities: Identity[] = []
    for (const { name, roles, segment = name } of agents) {
      const invitation = { site: 'bench', segment, name, roles, hours: 1 }
      const token = await store.tx((sql) => makeClaim(sql, invitation, Date.now()))
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      const csr = await certificateRequest(key)
      const answer = await enrol(deps, authority, { token, csr, hostname: name, version: '0' })
      identities.push({ v: 1, key, ...answer, roles })
    }
    return identities
  } finally {
    await store.close()
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** Ends a process that we started: asked first, then not asked. */
export async function end(child: ChildProcess, graceMs = 5000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await gone
  clearTimeout(late)
}
