import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Alert } from '../../controller/alerts/index.ts'
import type { Arrivals } from '../../controller/link/index.ts'
import { databaseIn } from '../../controller/serve/database.ts'
import { openSqlite } from '../../controller/store/sqlite.ts'
import type { CleanUp } from './clean-up.ts'
import { type Controller, end, type Prepared } from './controller.ts'
import type { CameBack, Lived } from './crowd-agents.ts'
import { Crowd } from './crowd-parts.ts'
import { until } from './until.ts'

const processes = 2
const liveEveryMs = 500

/** `spread`: agents draw lots for when they come back, and the controller lets them in by what it bears. */
export type Outage = { spread: boolean; backlog: number; awayMs: number }
/** Seconds from the moment at which the controller serves; of memory the most, MB. */
export type Return = {
  seconds: number
  agents: number[]
  connected: number[]
  /** What those who were back first had to tell meanwhile: milliseconds until it was acknowledged, and until its alert. */
  live: { acknowledged: number[]; alerted: number[] }
  rssMb: number
  /** Processor time of the controller, seconds: what does not depend on what else this machine does. */
  cpuSeconds: number
  failures: Record<string, number>
  arrivals: Arrivals
  silent: number
}

/** A connected crowd, of which the first few are `witnesses` that come back at once; and its controller. */
export async function makeCrowd(cleanUp: CleanUp, prepared: Prepared, witnesses: number) {
  await setAdmission(prepared.dataDir, true)
  let controller = await prepared.start()
  const folder = await mkdtemp(join(tmpdir(), 'marshlight-bench-crowd-'))
  cleanUp.add(() => rm(folder, { recursive: true, force: true }))
  const few = new Crowd(cleanUp, prepared.identities.slice(0, witnesses), { folder, eager: true }, 1)
  const many = new Crowd(cleanUp, prepared.identities.slice(witnesses), { folder, eager: false }, processes)
  await Promise.all([few.said('settled'), many.said('settled')])

  /** The controller is killed under the crowd, stays away, and is started again; until all is committed. */
  async function outage({ spread, backlog, awayMs }: Outage): Promise<Return> {
    const gone = once(controller.child, 'exit')
    controller.child.kill('SIGKILL')
    await gone
    await setAdmission(prepared.dataDir, spread)
    const held = many.said('held')
    const back = many.said<CameBack>('back')
    many.tell({ backlog, spread })
    await held
    await delay(awayMs)
    many.tell({ started: true })
    few.tell({ live: liveEveryMs })
    controller = await prepared.start()
    const began = Date.now()
    const alerts = followNotices(controller)
    const told = await back
    const came = told.flatMap((part) => part.came)
    const cpuSeconds = await processorSeconds(controller.child)
    const present = await allPresent(controller, prepared.identities.length)
    const drained = Math.max(present, ...came.map((one) => one.drained))
    const lived = few.said<Lived[]>('lived')
    few.tell({ quiet: true })
    const samples = (await lived).flat().filter(({ at }) => at >= began && at < drained)
    await until(() => samples.every(({ code }) => alerts.at(code) !== undefined), 'each live alert came')
    alerts.end()
    const arrivals = await controller.api.get<Arrivals>('/v1/link')
    const { items } = await controller.api.get<{ items: Alert[] }>('/v1/alerts?kind=silent-agent&limit=1000')
    const since = (at: number) => Math.max(0, at - began) / 1000
    return {
      seconds: since(drained),
      agents: came.map((one) => since(Math.max(one.drained, one.connected))),
      connected: came.map((one) => since(one.connected)),
      live: {
        acknowledged: samples.map(({ at, acknowledged }) => acknowledged - at),
        alerted: samples.map(({ at, code }) => (alerts.at(code) ?? Number.NaN) - at),
      },
      rssMb: await mostMemory(controller.child),
      cpuSeconds,
      failures: summed(told.map(({ failures }) => failures)),
      arrivals,
      silent: items.filter(({ created_at }) => Date.parse(created_at) > began).length,
    }
  }
  return { outage, end: () => end(controller.child) }
}

/** When the alert of each code came out of the controller's stream of alerts, milliseconds since 1970. */
function followNotices({ api }: Controller) {
  const came = new Map<string, number>()
  const ending = new AbortController()
  const following = (async () => {
    for await (const { subject } of api.follow<Alert>('/v1/alerts?follow=true&kind=notice&limit=1000', ending.signal))
      came.set(subject.split('/').at(-1) ?? '', Date.now())
  })()
  following.catch(() => undefined)
  return { at: (code: string) => came.get(code), end: () => ending.abort() }
}

/** Throws unless of so many agents' streams exactly `each` records are there, numbered from 0. */
export async function checkCommitted(dataDir: string, expected: { streams: number; each: number }): Promise<void> {
  const store = openSqlite(databaseIn(dataDir), [])
  try {
    const found = await store.get<{ streams: number; whole: number; records: number; losses: number }>(
      `SELECT count(*) AS streams, sum(n = ? AND least = 0 AND most = ? - 1 AND apart = n) AS whole, sum(n) AS records,
         (SELECT count(*) FROM losses) AS losses
       FROM (SELECT count(*) AS n, count(DISTINCT r.number) AS apart, min(r.number) AS least, max(r.number) AS most
             FROM records r JOIN streams s ON s.id = r.stream_id WHERE s.stream = 'events' GROUP BY s.id)`,
      expected.each,
      expected.each,
    )
    const { streams, each } = expected
    if (found?.whole !== streams || found.streams !== streams || found.losses !== 0)
      throw new Error(`${streams} streams of ${each} records were sent, the database holds ${JSON.stringify(found)}`)
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

export async function processorSeconds({ pid }: ChildProcess): Promise<number> {
  // The name, in brackets, may hold anything.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function summed(parts: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const part of parts) for (const [key, n] of Object.entries(part)) sums[key] = (sums[key] ?? 0) + n
  return sums
}
