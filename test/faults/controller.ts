import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { makeClient } from '../../controller/cli/client.ts'
import { initController } from '../../controller/fleet/index.ts'
import { databaseIn } from '../../controller/serve/database.ts'
import { socketIn } from '../../controller/serve/index.ts'
import { makeVictim, type Victim } from './victim.ts'

const program = join(import.meta.dirname, '../../controller/cli.ts')
const host = '127.0.0.1'
const startMs = 60_000

export type ControllerUnderTest = {
  victim: Victim
  ports: { mqtt: number; enrol: number }
  database: string
  /** Starts it and waits until it says that it runs. */
  started(): Promise<void>
  /** A token for one agent. */
  invite(): Promise<string>
}

/** A new controller in `dataDir`, to be run as `marshlight serve` on free ports of loopback that stay its own. */
export async function prepareController(
  dataDir: string,
  log: number,
  onOwnEnd: (what: string) => void,
  settings: Record<string, unknown> = {},
): Promise<ControllerUnderTest> {
  await mkdir(dataDir, { recursive: true })
  const ports = { mqtt: await freePort(), enrol: await freePort() }
  const config = { publicHost: host, mqtt: { host, port: ports.mqtt }, enrol: { host, port: ports.enrol }, ...settings }
  await initController({ dataDir, config, now: Date.now() })
  const launch = () =>
    spawn(process.execPath, [program, '--data', dataDir, 'serve', '--log', 'warn'], { stdio: ['ignore', 'pipe', log] })
  const victim = makeVictim('the controller', launch, onOwnEnd)
  return {
    victim,
    ports,
    database: databaseIn(dataDir),
    started: () => firstLine(victim.start()),
    async invite() {
      const api = makeClient(() => ({ socket: socketIn(dataDir) }))
      const { items } = await api.post<{ items: { token: string }[] }>('/v1/agents/invite', { segment: 'faults' })
      return items[0]?.token ?? ''
    },
  }
}

async function firstLine(child: ChildProcess): Promise<void> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const signal = AbortSignal.timeout(startMs)
  const ended = once(child, 'exit', { signal }).then(() => Promise.reject(new Error('the controller did not start')))
  await Promise.race([once(lines, 'line', { signal }), ended])
  ended.catch(() => {})
}

/** Outside of what the kernel gives to connections and to who asks for any port: nobody takes it before it is used. */
const [lowest, count] = [20_000, 12_000]
const given = new Set<number>()

/** A port of loopback that is free, and was not given to this process before. */
export async function freePort(): Promise<number> {
  const port = lowest + Math.floor(Math.random() * count)
  if (given.has(port)) return freePort()
  given.add(port)
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) =>
    server
      .once('error', () => resolve(false))
      .once('listening', () => resolve(true))
      .listen(port, host),
  )
  if (!isFree) return freePort()
  server.close()
  await once(server, 'close')
  return port
}
