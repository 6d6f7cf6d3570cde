import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { makeLink } from '../../agent/link/index.ts'
import { makeSpool } from '../../agent/spool/index.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { newDataDir, runCentre } from '../integration/controller-world.ts'
import { processorMs } from './paired.ts'
import type { Row } from './row.ts'

const perAppend = 500
const warmUp = 20_000
const measured = 240_000
/** Records appended and not yet acknowledged, at most: as a decoy's tail would be held up by its disk. */
const ahead = 40_000

const decoy = newId()
const persona = newId()
const event = (n: number): DecoyEvent => ({
  type: 'event',
  at: new Date(1_767_225_600_000 + n).toISOString(),
  decoy,
  persona,
  personaVersion: 1,
  revision: 1,
  service: 'cowrie',
  kind: 'command',
  session: `a1b2c3d4${n % 1000}`,
  src: { ip: `198.18.${(n >> 8) & 255}.${n & 255}`, port: 40_000 },
  dst: { ip: '198.18.0.20', port: 22 },
  command: `cat /proc/cpuinfo | grep name | wc -l # ${n}`,
  source: 'cowrie.command.input',
  data: { sensor: 'decoy', protocol: 'ssh', message: 'CMD: cat /proc/cpuinfo | grep name | wc -l' },
})

/**
 * Events from an append to the agent's spool (fsynced), over MQTT with mutual TLS, to a commit of the controller's database
 * (fsynced) and back to the agent as an acknowledgement. Agent (this process) and controller are two processes of this
 * machine; the controller's projectors are left out. `one_event`: the same way for a single event on an idle line.
 */
async function measure(progress: (what: string) => void): Promise<Row[]> {
  const dataDir = await newDataDir()
  const stateDir = await mkdtemp(join(tmpdir(), 'marshlight-bench-agent-'))
  const stop: (() => Promise<unknown>)[] = [
    () => rm(dataDir, { recursive: true }),
    () => rm(stateDir, { recursive: true }),
  ]
  try {
    const setUp = await runCentre(dataDir)
    const identity = await setUp.newAgent()
    const signingKey = setUp.authority.signingPublicPem
    await setUp.stop()
    const { child, port } = await startController(dataDir)
    stop.unshift(() => end(child))

    const spool = makeSpool({ folder: join(stateDir, 'spool'), clock: systemClock, log: silentLog })
    await spool.start(new AbortController().signal)
    const link = makeLink({
      identity: {
        v: 1,
        name: 'bench',
        roles: ['decoys'],
        ...identity,
        mqtt: { host: '127.0.0.1', port },
        signingKey,
      },
      checkServer: () => undefined,
      folder: join(stateDir, 'documents'),
      spool,
      report: (stream, records, positions) => spool.append(stream, records, positions),
      handlers: { onPlan: () => {}, onBlocks: () => {}, onRequest: async () => ({ ok: true }) },
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      about: { version: 'bench', hostname: 'bench' },
    })
    await link.start(new AbortController().signal)
    stop.unshift(
      () => link.stop(),
      () => spool.stop(),
    )
    const acknowledged = () => spool.standing('events').acknowledged
    progress(`${warmUp} events to warm up`)
    await push(spool, 0, warmUp, acknowledged)
    progress(`${measured} events`)
    const [began, usedBefore] = [performance.now(), await processorOf(child)]
    await push(spool, warmUp, warmUp + measured, acknowledged)
    const perSecond = measured / ((performance.now() - began) / 1000)
    const usedAfter = await processorOf(child)
    const perEvent = (of: 'agent' | 'controller') => ((usedAfter[of] - usedBefore[of]) * 1000) / measured

    const trips: number[] = []
    for (let i = 0; i < 200; i++) {
      const from = performance.now()
      const next = warmUp + measured + i
      await spool.append('events', [event(next)])
      await until(() => acknowledged() > next)
      trips.push(performance.now() - from)
    }
    await end(child)
    const rows: Row[] = [
      {
        name: 'ingest.events_per_s',
        value: Math.round(perSecond),
        unit: 'events/s',
        better: 'higher',
        target: 30_000,
        reference: null,
      },
      {
        name: 'ingest.one_event_p95',
        value: trips.sort((a, b) => a - b)[Math.floor(trips.length * 0.95)] ?? Number.NaN,
        unit: 'ms',
        better: 'lower',
        target: null,
        reference: null,
      },
      processorRow('agent', perEvent('agent')),
      processorRow('controller', perEvent('controller')),
    ]
    await checkStored(join(dataDir, 'marshlight.db'), warmUp + measured + trips.length)
    return rows
  } finally {
    for (const work of stop) await work()
  }
}

/** Processor time, milliseconds: what does not depend on what else this machine does. */
const processorOf = async (controller: ChildProcess) => ({
  agent: await processorMs(process.pid),
  controller: await processorMs(controller.pid as number),
})

const processorRow = (of: string, microseconds: number): Row => ({
  name: `ingest.${of}_cpu_per_event`,
  value: Math.round(microseconds * 10) / 10,
  unit: 'us',
  better: 'lower',
  target: null,
  reference: null,
})

async function push(spool: ReturnType<typeof makeSpool>, from: number, to: number, acknowledged: () => number) {
  for (let at = from; at < to; at += perAppend) {
    if (at - acknowledged() > ahead) await until(() => at - acknowledged() <= ahead)
    await spool.append(
      'events',
      Array.from({ length: Math.min(perAppend, to - at) }, (_, i) => event(at + i)),
    )
  }
  await until(() => acknowledged() >= to)
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('nothing was acknowledged for a minute')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

async function startController(dataDir: string): Promise<{ child: ChildProcess; port: number }> {
  const script = join(import.meta.dirname, '../integration/controller-process.ts')
  const child = spawn(process.execPath, [script, dataDir, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  return { child, port: Number(line) }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** A figure counts only when every event is there, once. */
async function checkStored(path: string, expected: number): Promise<void> {
  const store = openSqlite(path, [])
  try {
    const row = await store.get<{ n: number; least: number; most: number }>(
      `SELECT count(*) AS n, min(r.number) AS least, max(r.number) AS most FROM records r JOIN streams s ON s.id = r.stream_id WHERE s.stream = 'events'`,
    )
    if (row?.n !== expected || row.least !== 0 || row.most !== expected - 1)
      throw new Error(`${expected} events were sent, the database holds ${JSON.stringify(row)}`)
  } finally {
    await store.close()
  }
}

process.stdout.write(
  `${JSON.stringify(await measure((what) => void process.stderr.write(`main.ingest: ${what}\n`)))}\n`,
)
