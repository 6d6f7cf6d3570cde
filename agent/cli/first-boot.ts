import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { type LogLevel, makeLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { shortHardware } from '../../shared/schemas/hardware.ts'
import { agentVersion, loadConfig } from '../config.ts'
import { type Finding, type Known, makeConsole } from '../console/index.ts'
import { loadIdentity, readHardware, readWiped } from '../enrol/index.ts'
import { devicesIn, firstBoot, lookFor, type Progress } from '../first-boot/index.ts'
import { run, thisBox } from './box.ts'
import type { CheckContext } from './checks/check.ts'
import { makeTypedHere } from './typed-here.ts'
import { finishWipe } from './wipe.ts'

/** The doctor looks at once, once more after a minute, and then now and then. */
const doctorMs = [60_000, 300_000]

/** From an enrolment file to an agent, with what is seen of it on the box's outputs. Returns the exit code. */
export async function firstBootCommand(o: {
  stateDir: string
  logLevel?: LogLevel
  clock: Clock
  random: Random
}): Promise<number> {
  process.env.RES_OPTIONS ??= 'timeout:2 attempts:1'
  const { clock, random, stateDir } = o
  const config = await loadConfig(stateDir)
  const log = makeLog('first-boot', o.logLevel ?? config.logLevel)
  await finishWipe({ ...o, log })
  const stopping = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort(new Error(name)))

  let progress: Progress = {}
  let findings: Finding[] = []
  // Of a box that is enrolled the agent shows how it is; here only its settings are applied, at each start.
  const isEnrolled = await loadIdentity(stateDir).then(
    () => true,
    () => false,
  )
  const wiped = await readWiped(stateDir)
  const serial = shortHardware(await readHardware())
  const know = (): Partial<Known> => ({
    enrolled: false,
    serial,
    ...progress.names,
    controller: progress.controller && `${progress.controller.host}:${progress.controller.port}`,
    waitsForFile: progress.waitsForFile,
    takesCode: progress.takesCode,
    waitsForApproval: progress.waitsForApproval,
    trouble: progress.trouble,
    findings,
    ...(wiped && !progress.controller && { wiped }),
  })
  const typedHere = makeTypedHere()
  const view = makeConsole({
    codes: typedHere,
    ...thisBox(config.nics),
    settings: config.console,
    clock,
    log,
    version: agentVersion,
    know,
  })
  if (!isEnrolled) await view.start(stopping.signal)
  const looking = isEnrolled
    ? undefined
    : lookNowAndThen(
        clock,
        stopping.signal,
        () => ({ stateDir, config, clock, role: 'decoys', identity: undefined, claim: progress.controller, root: '' }),
        (found) => {
          findings = found
          for (const { name, detail } of found) log.warn({ check: name }, detail)
        },
      )
  try {
    await firstBoot({
      stateDir,
      root: '',
      clock,
      random,
      log,
      version: agentVersion,
      signal: stopping.signal,
      built: await builtAt(),
      look: async () => lookFor(await devicesIn('')),
      command: run,
      isSynchronized,
      setClock: (ms) => run('date', '-u', '-s', `@${Math.floor(ms / 1000)}`),
      takeTyped: typedHere.take,
      tell(told) {
        progress = { ...progress, ...told }
      },
    })
  } catch (error) {
    if (!stopping.signal.aborted) throw error
    log.info({ why: wordsOf(error) }, 'stopped; it goes on with the next start')
    return 1
  } finally {
    stopping.abort(new Error('done'))
    await looking
    if (!isEnrolled) await view.stop()
  }
  log.info('this box belongs to its controller')
  return 0
}

async function lookNowAndThen(
  clock: Clock,
  signal: AbortSignal,
  context: () => CheckContext,
  onFound: (findings: Finding[]) => void,
): Promise<void> {
  const [{ examine }, { checks }] = await Promise.all([import('./checks/examine.ts'), import('./checks/registry.ts')])
  for (let round = 0; !signal.aborted; round++) {
    // That it is not enrolled yet is what all this is about.
    const due = checks.filter(({ name }) => name !== 'enrolment')
    const examined = examine(due, context())
    const found = await Promise.race([examined, aborted(signal)])
    if (!found) return
    onFound(found.filter(({ ok, follows }) => !ok && follows === undefined))
    await clock.sleep(doctorMs[Math.min(round, doctorMs.length - 1)] ?? 60_000, signal).catch(() => undefined)
  }
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })

/** When this program was made, as its package's files are dated: reproducibly, by its source. */
async function builtAt(): Promise<number> {
  const file = process.argv[1] ?? import.meta.filename
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}

/** systemd-timesyncd leaves this file once a server has answered it. */
const isSynchronized = (): Promise<boolean> =>
  access(join('/run/systemd/timesync', 'synchronized')).then(
    () => true,
    () => false,
  )
