import { execFile, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { readConfig } from '../../controller/config.ts'
import { makeRelease } from '../../controller/updates/make.ts'
import { makeKeys } from '../../shared/minisign.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import { type Controller, end, prepareController } from './controller.ts'
import { mostMemory, processorSeconds } from './crowd.ts'
import type { FleetReport } from './fleet-agents.ts'
import type { Bench, Row } from './row.ts'

const downloads = 16
const payloadBytes = 96 * 1024
const bytesPerSecond = 64 * 1024
const withinMs = 480_000
const lookMs = 2000
const config = {
  ...{ scan: { enabled: false }, decoys: { audit: { enabled: false }, perSegment: 0 } },
  updates: { downloads },
}
const [good, broken] = ['1.0.0', '1.1.0']
const rings = [
  { name: 'canary', percent: 1 },
  { name: '10%', percent: 10 },
  { name: '50%', percent: 50 },
  { name: '100%', percent: 100 },
]
/** Without gates, whose minutes would be all that is measured. */
const policy = { rings, gateMinutes: 0, confirmMinutes: 0.5, bytesPerSecond }
const program = join(import.meta.dirname, '../../controller/cli.ts')

/**
 * A thousand boxes (fleet-box.ts: the agent's link and its downloads, nothing installed) are brought to a release of 96 KiB
 * by four rings, each box at 64 KiB/s, 16 at a time, the line of a tenth of them breaking in the midst: seconds from its
 * start to the last box's word that it runs it. Then a release that goes back by itself: how many boxes got it before the
 * rollout stood. `fetching_at_once` is the boxes' own count: a box still takes from its line's buffers, at its cap, what the
 * controller has sent already and counts no longer. Asserted: all run the good one, whole, and what broke off was gone on with.
 */
export const fieldFleetBench: Bench = {
  names: [
    'update.fleet_1000_seconds',
    'update.fleet_1000_fetching_at_once',
    'update.fleet_1000_bytes_twice',
    'update.fleet_1000_broken_boxes',
    'update.fleet_1000_controller_cpu',
    'update.fleet_1000_controller_mb',
  ],
  run: (progress) => fleetFigures(1000, progress),
}

export const fleetFigures = (agents: number, progress: (what: string) => void): Promise<Row[]> =>
  cleanedUp(async (cleanUp) => {
    progress(`enrolling ${agents} boxes`)
    const wishes = Array.from({ length: agents }, (_, i) => ({ name: `box-${i}`, roles: ['decoys' as const] }))
    const prepared = await prepareController('127.0.0.1', wishes, config)
    cleanUp.add(() => prepared.remove())
    const controller = await prepared.start()
    const folder = await mkdtemp(join(tmpdir(), 'marshlight-bench-fleet-'))
    cleanUp.add(() => rm(folder, { recursive: true, force: true }))
    const keys = makeKeys()
    await controller.api.post('/v1/release-keys', { text: keys.publicText })
    for (const [i, version] of [good, broken].entries()) {
      const { out } = await release(folder, version, i + 1, keys.privatePem)
      await promisify(execFile)(process.execPath, [program, '--data', controller.dataDir, 'updates', 'add', out])
    }
    progress('they connect')
    const breaks = Math.ceil(agents / 10)
    // Where it enrolled is where it fetches.
    const { enrol } = readConfig(controller.dataDir)
    const identities = prepared.identities.map((one) => ({ ...one, enrol }))
    const about = { identities, folder, publicText: keys.publicText, broken, breaks }
    const report = await startFleet(cleanUp, about)

    const usedBefore = await processorSeconds(controller.child)
    const began = performance.now()
    const taken = await rollOut(controller, good, progress)
    const seconds = (performance.now() - began) / 1000
    const cpu = (await processorSeconds(controller.child)) - usedBefore
    const after = await report()
    const twice = after.bytes / (agents * payloadBytes) - 1
    progress(`${taken.status} after ${seconds.toFixed(1)} s: ${JSON.stringify(after)}`)
    if (taken.status !== 'done' || after.runs[good] !== agents || after.breaks !== breaks)
      throw new Error(`the rollout is ${taken.status} (${taken.why}): ${JSON.stringify(after)}`)
    const stopped = await rollOut(controller, broken, progress)
    const { tookBroken } = await report()
    if (stopped.status !== 'paused' || tookBroken === 0)
      throw new Error(`a broken release: the rollout is ${stopped.status}, ${tookBroken} boxes got it`)
    const row = (name: string, value: number, unit: string, target: number | null): Row => ({
      name: `update.fleet_1000_${name}`,
      ...{ value, unit, target, better: 'lower', reference: null },
    })
    return [
      row('seconds', Math.round(seconds * 10) / 10, 's', 300),
      row('fetching_at_once', after.mostFetching, 'boxes', null),
      row('bytes_twice', Math.round(twice * 1000) / 10, '%', 5),
      row('broken_boxes', tookBroken, 'boxes', 1),
      row('controller_cpu', cpu, 's', null),
      row('controller_mb', await mostMemory(controller.child), 'MB', null),
    ]
  })

async function release(folder: string, version: string, sequence: number, key: string): Promise<{ out: string }> {
  const path = join(folder, `agent-${version}.tar`)
  await writeFile(path, randomBytes(payloadBytes))
  const out = join(folder, `release-${version}`)
  const sources = [{ component: 'agent', arch: 'amd64', version, path } as const]
  await makeRelease({ version, sequence, createdAt: new Date().toISOString(), notes: '', sources, key, out })
  return { out }
}

/** Resolves when all are connected; gives what tells what they did. */
async function startFleet(cleanUp: CleanUp, about: object): Promise<() => Promise<FleetReport>> {
  const child = fork(join(import.meta.dirname, 'fleet-agents.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  cleanUp.add(() => end(child, 0))
  const gone = once(child, 'exit').then(() => Promise.reject(new Error('the fleet ended')))
  gone.catch(() => undefined)
  child.send(about)
  await Promise.race([once(child, 'message'), gone])
  return async () => {
    child.send({ report: true })
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [{ report: FleetReport }]
    return message.report
  }
}

type Shown = { id: string; status: string; why: string | null; rings: { name: string; confirmed: number }[] }

/** The rollout, once it runs no longer. */
async function rollOut({ api }: Controller, version: string, progress: (what: string) => void): Promise<Shown> {
  const { id } = await api.post<{ id: string }>('/v1/rollouts', { version, ...policy })
  await api.post(`/v1/rollouts/${id}/start`)
  const deadline = performance.now() + withinMs
  for (let told = ''; ; await delay(lookMs)) {
    const { items } = await api.get<{ items: Shown[] }>('/v1/rollouts')
    const shown = items.find((one) => one.id === id)
    if (shown && shown.status !== 'running') return shown
    const words = shown?.rings.map(({ name, confirmed }) => `${name} ${confirmed}`).join(', ') ?? ''
    if (performance.now() > deadline) throw new Error(`the rollout of ${version} still runs: ${words}`)
    if (words !== told) progress(words)
    told = words
  }
}
