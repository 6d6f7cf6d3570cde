import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import type { Report } from '../spool/port.ts'

/** Time for the answer to go out, and for the notice to be taken. */
const untilMs = 2_000
const systemdRuns = '/run/systemd/system'

export type RebootDeps = {
  allowed: boolean
  /** Absent: `systemctl reboot`, where systemd runs the machine. */
  command?: readonly string[]
  report: Report
  clock: Clock
  log: Log
  signal: AbortSignal
}

/**
 * Restarts the box: answers first, then tells, then does.
 *
 *   asked -> may it, can it? -> notice (durable) -> answer -> two seconds -> command      fails -> notice REBOOT_FAILED
 *
 * Nothing is kept of it: power that goes in between is a restart, too.
 */
export function makeReboot(deps: RebootDeps) {
  const { report, clock, log } = deps
  let pending = false

  const tell = (level: Notice['level'], code: string, message: string) =>
    report('state', [{ type: 'notice', at: isoNow(clock), level, code, message }])

  async function restart(program: string, args: readonly string[]): Promise<void> {
    try {
      await clock.sleep(untilMs, deps.signal)
      log.warn({ command: [program, ...args] }, 'restarting the box, as the controller asked')
      await run(program, args)
    } catch (error) {
      if (deps.signal.aborted) return
      log.error({ why: wordsOf(error) }, 'the box could not be restarted')
      await tell('error', 'REBOOT_FAILED', `the box could not be restarted: ${wordsOf(error)}`.slice(0, 1024))
    } finally {
      pending = false
    }
  }

  /** Throws CONFLICT where it may not, cannot, or is about to. */
  return async (): Promise<{ inSeconds: number }> => {
    if (!deps.allowed) throw cannot('it is switched off there (reboot.allowed of agent.json)')
    const [program = '', ...args] = deps.command ?? ['systemctl', 'reboot']
    if (!deps.command && !(await isThere(systemdRuns)))
      throw cannot('systemd does not run that machine, and agent.json names no command (reboot.command)')
    if (!(await isProgram(program))) throw cannot(`it has no program ${program}`)
    if (pending) throw cannot('it is about to')
    pending = true
    await tell('info', 'REBOOT', `the box restarts in ${untilMs / 1000} s, as the controller asked`)
    void restart(program, args)
    return { inSeconds: untilMs / 1000 }
  }
}

const cannot = (why: string) =>
  new MarshlightError('CONFLICT', { what: `the box does not restart: ${why}`, next: 'Restart it by hand.' })

const run = (program: string, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile(program, args, (error, _out, words) =>
      error ? reject(new Error(words.trim().slice(0, 512) || error.message)) : resolve(),
    )
  })

const isThere = (path: string, mode = constants.F_OK): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  )

async function isProgram(name: string): Promise<boolean> {
  if (isAbsolute(name)) return isThere(name, constants.X_OK)
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    if (folder !== '' && (await isThere(join(folder, name), constants.X_OK))) return true
  return false
}
