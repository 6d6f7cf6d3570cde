import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { enrol } from '../../agent/enrol/index.ts'
import { newId } from '../../shared/ids.ts'
import { type Random, seededRandom } from '../../shared/random.ts'
import { prepareController } from './controller.ts'
import { readWritten } from './lines.ts'
import { startProxy } from './proxy.ts'
import { compare, type Verdict, workedUp } from './verdict.ts'
import { makeVictim } from './victim.ts'

/** What the agent's process tells: events acknowledged, whether anything waits, how far its decoy's files are read. */
export type Standing = {
  acknowledged: number
  waiting: boolean
  position: { file: string; offset: number } | undefined
}

export type Wish = {
  /** The order of faults and the random parts of their times follow from it; how the processes meet them does not. */
  seed: string
  /** Of each part. */
  kills: number
  cuts: number
  silences: number
  tell?: (what: string) => void
  /** Keeps the folder, for a look at what went wrong. */
  keep?: boolean
}

type Fault = 'agent' | 'controller' | 'writer' | 'cut' | 'silence'

/** A fault waits for so much to happen since the one before, but not for ever: some are to come while nothing runs yet. */
const progressMs = 5000
const settleMs = 120_000
/** Longer than the agent trusts a silent line. */
const longSilenceMs = 9000

/**
 *   writer -> events-<n>.jsonl -> agent (sessions, spool, link) -> proxy -> controller (`marshlight serve`) -> database
 *
 * Kills each part and breaks the line at random points under load, then waits until everything that was written is
 * acknowledged, and compares the database with the files.
 */
export async function runFaults(wish: Wish): Promise<Verdict> {
  const { seed, tell = () => {} } = wish
  const random = seededRandom(seed)
  const began = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'marshlight-faults-'))
  const [out, kept, stateDir] = [join(folder, 'out'), join(folder, 'kept'), join(folder, 'agent')] as const
  for (const path of [join(out, 'events'), kept, stateDir]) await mkdir(path, { recursive: true })
  const logs = await open(join(folder, 'log'), 'a')
  const troubles: string[] = []
  const changes = new EventEmitter()
  let writing = false
  let standing: Standing = { acknowledged: 0, waiting: true, position: undefined }

  const controller = await prepareController(join(folder, 'controller'), logs.fd, (what) => troubles.push(what))
  const proxy = await startProxy({ host: '127.0.0.1', port: controller.ports.mqtt })
  const script = (name: string, ...args: string[]) =>
    spawn(process.execPath, [join(import.meta.dirname, name), ...args], {
      stdio: ['ignore', logs.fd, logs.fd, 'ipc'],
    })
  const writer = makeVictim(
    'the writer',
    () => {
      writing = false
      return script('writer.ts', out, kept, seed).on('message', () => {
        writing = true
        changes.emit('change')
      })
    },
    (what) => troubles.push(what),
  )
  const ids = [newId(), newId()] as const
  const agent = makeVictim(
    'the agent',
    () =>
      script('agent.ts', stateDir, out, ...ids, String(proxy.port)).on('message', (message) => {
        standing = message as Standing
        changes.emit('change')
      }),
    (what) => troubles.push(what),
  )
  const victims = { agent, writer, controller: controller.victim }

  /** Until `done`, looked at whenever the agent tells something; false when that took too long. */
  async function reached(done: () => boolean, ms: number): Promise<boolean> {
    const late = AbortSignal.timeout(ms)
    try {
      while (!done()) await once(changes, 'change', { signal: late })
      return true
    } catch {
      return done()
    }
  }

  async function silence(ms: number): Promise<void> {
    proxy.swallow(true)
    await delay(ms)
    // Some lines come back to life, others are found dead.
    if (random() < 0.5) proxy.cut()
    proxy.swallow(false)
  }

  async function inflict(fault: Fault, firstSilence: boolean): Promise<void> {
    if (fault === 'cut') return proxy.cut()
    if (fault === 'silence') return silence(firstSilence ? longSilenceMs : 200 + random() * 2000)
    await victims[fault].kill()
    victims[fault].start()
  }

  try {
    await controller.started()
    await enrol({ stateDir, token: await controller.invite(), version: '0', now: Date.now() })
    agent.start()
    writer.start()
    const faults = faultsOf(wish, random)
    let silences = 0
    for (const [i, fault] of faults.entries()) {
      const wanted = standing.acknowledged + (random() < 0.3 ? 0 : 1 + Math.floor(random() * 1200))
      await reached(() => standing.acknowledged >= wanted, progressMs)
      await delay(random() * 150)
      if (fault === 'silence') silences++
      await inflict(fault, fault === 'silence' && silences === 1)
      if ((i + 1) % 25 === 0) tell(`${i + 1} of ${faults.length} faults, ${standing.acknowledged} events acknowledged`)
    }
    const wanted = standing.acknowledged + 500
    if (!(await reached(() => writing && standing.acknowledged >= wanted, settleMs)))
      troubles.push('it did not go on at the end')
    await writer.end()
    const written = await readWritten(kept)
    const { end, empty } = written
    // The last writer may have been ended before its first line: its file is there, and says nothing.
    const atEnd = ({ file, offset }: { file: string; offset: number }) =>
      file === end.file ? offset === end.offset : empty.includes(file) && offset === 0
    const settled = () => !standing.waiting && standing.position !== undefined && atEnd(standing.position)
    if (!(await reached(settled, settleMs))) troubles.push(`not all was acknowledged: ${JSON.stringify(standing)}`)
    tell(`${written.lines.length} lines written, ${standing.acknowledged} events acknowledged`)
    await agent.end()
    // Started once more, so that the last start has to go on from where the one before it was stopped.
    await controller.victim.end()
    await controller.started()
    await workedUp(controller.database, settleMs)
    await controller.victim.end()
    const kills = { agent: agent.kills, controller: controller.victim.kills, writer: writer.kills }
    const found = compare(controller.database, written)
    const seconds = (performance.now() - began) / 1000
    return { ...found, seed, seconds, kills, troubles: [...troubles, ...found.troubles] }
  } finally {
    for (const victim of Object.values(victims)) await victim.kill()
    await proxy.close()
    await logs.close()
    if (wish.keep) tell(`kept: ${folder}`)
    else await rm(folder, { recursive: true, force: true })
  }
}

/** All faults that were asked for, shuffled. */
function faultsOf({ kills, cuts, silences }: Wish, random: Random): Fault[] {
  const of = (fault: Fault, times: number) => Array<Fault>(times).fill(fault)
  const all = [
    ...(['agent', 'controller', 'writer'] as const).flatMap((part) => of(part, kills)),
    ...of('cut', cuts),
    ...of('silence', silences),
  ]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [all[i], all[j]]
    if (a && b) [all[i], all[j]] = [b, a]
  }
  return all
}
