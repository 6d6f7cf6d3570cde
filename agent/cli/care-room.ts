import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Part } from '../../shared/lifecycle.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { Care, CareOp } from '../care/index.ts'
import { agentVersion } from '../config.ts'
import type { Engine } from '../engine/port.ts'
import type { Report, Spool } from '../spool/port.ts'
import type { AgentDeps } from './compose.ts'

type Deps = AgentDeps & {
  spool: Spool
  report: Report
  held(): { plan?: Plan; blocks?: { revision: number; entries: readonly unknown[] } }
  status(): object
  engine?: () => Promise<Engine>
}

const doctorWithinMs = 90_000
const mostBytes = 1_048_576

/** What people ask of the box from afar; loaded when somebody first does, since most boxes are never asked. */
export function careRoom(deps: Deps): Part & Pick<Care, 'answer'> {
  const { engine, ...rest } = deps
  const { identity, config, stateDir } = rest
  let made: Promise<Care> | undefined

  const make = async (): Promise<Care> => {
    const { makeCare } = await import('../care/index.ts')
    const care = makeCare({
      ...rest,
      agent: identity.agent,
      version: agentVersion,
      log: deps.log.child({ room: 'care' }),
      doctor: (signal) => doctorApart(stateDir, signal),
      ...(engine && { engine: { ask: engine, images: Object.values(config.images) } }),
      reboot: config.reboot,
    })
    await care.start(new AbortController().signal)
    return care
  }
  const care = (): Promise<Care> => {
    made ??= make().catch((error) => {
      made = undefined
      throw error
    })
    return made
  }

  return {
    name: 'care',
    answer: async (op: CareOp) => (await care()).answer(op),
    /** What an agent that was killed left behind of a bundle goes, whether or not somebody asks again. */
    start: () => rm(join(stateDir, 'care'), { recursive: true, force: true }),
    stop: async () => (await made)?.stop(),
  }
}

/** The doctor as a process of its own: what it loads goes with it, and it sees what a technician would. */
const doctorApart = (stateDir: string, signal: AbortSignal): Promise<object> =>
  new Promise((resolve, reject) => {
    const argv = [...process.execArgv, process.argv[1] ?? '', 'doctor', '--json', '--state', stateDir]
    const options = { signal, timeout: doctorWithinMs, maxBuffer: mostBytes, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, argv, options, (error, out) => {
      try {
        // Its exit code says that something is to be mended; what, stands in what it prints.
        resolve(JSON.parse(out) as object)
      } catch (cause) {
        reject(new Error('the doctor gave no answer', { cause: error ?? cause }))
      }
    })
  })
