import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Identity } from '../../agent/enrol/index.ts'
import type { Alert } from '../../controller/alerts/index.ts'
import type { Arrivals } from '../../controller/link/index.ts'
import { databaseIn } from '../../controller/serve/database.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import { CleanUp } from './clean-up.ts'
import { type Controller, end, type Prepared } from './controller.ts'
import type { Back } from './crowd-agents.ts'
import { until } from './until.ts'

const processes = 2
const deadlineSeconds = 600

/** `spread`: agents draw lots for when they come back, and the controller lets them in a few at a time. */
export type Outage = { spread: boolean; backlog: number; awayMs: number }
/** Seconds from the start of the controller's process; of memory the most, MB. */
export type Return = {
  seconds: number
  agents: number[]
  connected: number[]
  rssMb: number
  /** Processor time of the controller, seconds: what does not depend on what else this machine does. */
  cpuSeconds: number
  failures: Record<string, number>
  arrivals: Arrivals
  silent: number
}

/** The controller is killed under a connected crowd, stays away, and is started again; until all is committed. */
export async function outage(prepared: Prepared, how: Outage, progress: (what: string) => void): Promise<Return> {
  const cleanUp = new CleanUp()
  try {
    await setAdmission(prepared.dataDir, how.spread)
    const { child } = await prepared.start()
    const folder = await mkdtemp(join(tmpdir(), 'marshlight-bench-crowd-'))
    cleanUp.add(() => rm(folder, { recursive: true, force: true }))
    const crowd = startCrowd(cleanUp, prepared.identities, { folder, spread: how.spread })
    await all(crowd, 'settled')
    progress(`${prepared.identities.length} agents are connected; the controller is killed`)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    const held = all(crowd, 'held')
    const back = all(crowd, 'back')
    back.catch(() => undefined)
    for (const part of crowd) part.send({ backlog: how.backlog })
    await held
    await delay(how.awayMs)
    const began = Date.now()
    for (const part of crowd) part.send({ started: true })
    const controller = await prepared.start()
    const told = await back
    const came = told.flatMap(({ back }) => back as Back[])
    const cpuSeconds = await processorSeconds(controller.child)
    const present = await allPresent(controller, came.length)
    const rssMb = await mostMemory(controller.child)
    const arrivals = await controller.api.get<Arrivals>('/v1/link')
    const { items } = await controller.api.get<{ items: Alert[] }>('/v1/alerts?kind=silent-agent&limit=1000')
    await end(controller.child)
    const since = (at: number) => (at - began) / 1000
    return {
      seconds: since(Math.max(present, ...came.map(({ drained }) => drained))),
      agents: came.map(({ drained, connected }) => since(Math.max(drained, connected))),
      connected: came.map(({ connected }) => since(connected)),
      rssMb,
      cpuSeconds,
      failures: summed(told.map(({ failures }) => failures as Record<string, number>)),
      arrivals,
      silent: items.filter(({ created_at }) => Date.parse(created_at) > began).length,
    }
  } finally {
    await cleanUp.run()
  }
}

/** Throws unless of each agent's stream, in each outage, exactly `backlog` records are there, numbered from 0. */
export async function checkCommitted(dataDir: string, expected: { streams: number; backlog: number }): Promise<void> {
  const store = openSqlite(databaseIn(dataDir), [])
  try {
    const found = await store.get<{ streams: number; whole: number; records: number; losses: number }>(
      `SELECT count(*) AS streams, sum(n = ? AND least = 0 AND most = ? - 1 AND apart = n) AS whole, sum(n) AS records,
         (SELECT count(*) FROM losses) AS losses
       FROM (SELECT count(*) AS n, count(DISTINCT r.number) AS apart, min(r.number) AS least, max(r.number) AS most
             FROM records r JOIN streams s ON s.id = r.stream_id WHERE s.stream = 'events' GROUP BY s.id)`,
      expected.backlog,
      expected.backlog,
    )
    const { streams, backlog } = expected
    if (found?.whole !== streams || found.streams !== streams || found.losses !== 0)
      throw new Error(`${streams} streams of ${backlog} records were sent, the database holds ${JSON.stringify(found)}`)
  } finally {
    await store.close()
  }
}

async function setAdmission(dataDir: string, spread: boolean): Promise<void> {
  const file = join(dataDir, 'config.json')
  const config = JSON.parse(await readFile(file, 'utf8')) as { mqtt: object }
  const none = { atOnce: 100_000, waiting: 100_000, waitSeconds: 600 }
  config.mqtt = { ...config.mqtt, admission: spread ? {} : none }
  await writeFile(file, JSON.stringify(config))
}

function startCrowd(cleanUp: CleanUp, identities: readonly Identity[], how: object): ChildProcess[] {
  const each = Math.ceil(identities.length / processes)
  return Array.from({ length: processes }, (_, i) => {
    const part = fork(join(import.meta.dirname, 'crowd-agents.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    cleanUp.add(() => end(part, 0))
    part.send({ identities: identities.slice(i * each, (i + 1) * each), ...how })
    return part
  })
}

/** What each part of the crowd says under `what`. */
const all = (crowd: readonly ChildProcess[], what: string): Promise<Record<string, unknown>[]> =>
  Promise.all(
    crowd.map(
      (part) =>
        new Promise<Record<string, unknown>>((resolve, reject) => {
          const late = setTimeout(
            () => stop(() => reject(new Error(`the crowd did not say ${what} within ${deadlineSeconds} s`))),
            deadlineSeconds * 1000,
          )
          const listen = (message: unknown) => {
            const told = message as Record<string, unknown>
            if (what in told) stop(() => resolve(told))
          }
          const gone = () => stop(() => reject(new Error('a part of the crowd ended')))
          const stop = (then: () => void) => {
            clearTimeout(late)
            part.off('message', listen).off('exit', gone)
            then()
          }
          part.on('message', listen).on('exit', gone)
        }),
    ),
  )

/** When the last agent was there by the controller's own book, milliseconds since 1970. */
async function allPresent({ api }: Controller, agents: number): Promise<number> {
  let last = 0
  await until(async () => {
    const { items } = await api.get<{ items: { presence: string; presenceAt: string }[] }>('/v1/agents')
    const online = items.filter(({ presence }) => presence === 'online')
    last = Math.max(...online.map(({ presenceAt }) => Date.parse(presenceAt)))
    return online.length === agents
  }, 'every agent is online')
  return last
}

/** The most that a process ever held in memory, MB (2^20 bytes). */
export async function mostMemory({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

const ticksPerSecond = 100

async function processorSeconds({ pid }: ChildProcess): Promise<number> {
  // The name, in brackets, may hold anything.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function summed(parts: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const part of parts) for (const [key, n] of Object.entries(part)) sums[key] = (sums[key] ?? 0) + n
  return sums
}
