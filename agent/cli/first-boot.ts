import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { type LogLevel, makeLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { shortHardware } from '../../shared/schemas/hardware.ts'
import { agentVersion, loadConfig } from '../config.ts'
import { type CardSeen, type Finding, makeConsole } from '../console/index.ts'
import { isNobodys, loadIdentity, readHardware } from '../enrol/index.ts'
import { devicesIn, type FirstBootDeps, firstBoot, lookFor, type Progress, type Step } from '../first-boot/index.ts'
import { run, thisBox } from './box.ts'
import { makeCardMoved } from './card-moved.ts'
import type { Check } from './checks/check.ts'
import { addressOf, knownOf } from './first-boot-known.ts'
import { makeFirstLook } from './first-look.ts'
import { takeBack } from './moved-back.ts'
import { builtAt, raiseOwnClock, systemTime } from './own-clock.ts'
import { makeTypedHere } from './typed-here.ts'
import { finishWipe, finishWipeInTime } from './wipe.ts'

/** Of this machine, what a test has in its place. */
export type Machine = {
  look: FirstBootDeps['look']
  uptimeMs?: () => number
  checks?: readonly Check[]
}
const thisMachine: Machine = { look: async () => lookFor(await devicesIn('')) }

/** From an enrolment file to an agent, with what is seen of it on the box's outputs. Returns the exit code. */
export async function firstBootCommand(o: {
  stateDir: string
  logLevel?: LogLevel
  clock: Clock
  random: Random
  machine?: Machine
}): Promise<number> {
  process.env.RES_OPTIONS ??= 'timeout:2 attempts:1'
  const { clock, random, stateDir, machine = thisMachine } = o
  let config = await loadConfig(stateDir)
  const log = makeLog('first-boot', o.logLevel ?? config.logLevel)
  await finishWipe({ ...o, log })
  if (await takeBack({ stateDir, log })) config = await loadConfig(stateDir)
  const stopping = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort(new Error(name)))

  let progress: Progress = {}
  let findings: Finding[] = []
  // Of a box that is enrolled the agent shows how it is; here only its settings are applied, at each start.
  const shut = await loadIdentity(stateDir).then(
    () => undefined,
    (error: { code?: string }) => error,
  )
  if (shut && !isNobodys(shut)) log.error({ code: shut.code }, wordsOf(shut))
  /** It belongs to somebody, and its agent cannot start before its TPM answers: until then this shows how it is. */
  const waitsForTpm = shut?.code === 'TPM_FAILED'
  let isEnrolled = !shut || waitsForTpm
  const serial = shortHardware(await readHardware())
  /** Whether it is known what the site's file says, if there is one: before that there is no page and no doctor. */
  let settled = false
  let page = { ...config.console.page, minutes: 0 }
  let before: Step['kind'] | undefined
  const typedHere = makeTypedHere()
  const cardMoved = makeCardMoved()
  const view = makeConsole({
    codes: typedHere,
    ...{ ...thisBox(config.nics), ...(machine.uptimeMs && { uptimeMs: machine.uptimeMs }) },
    settings: {
      ...config.console,
      get page() {
        return page
      },
    },
    clock,
    log,
    version: agentVersion,
    know(card: CardSeen | undefined) {
      if (cardMoved(card) && settled) void settle()
      return knownOf({ stateDir, isEnrolled, serial, progress, findings })
    },
  })
  if (isEnrolled) await raiseOwnClock({ stateDir, clock, log })
  let shows = false
  async function show(): Promise<void> {
    if (shows) return
    shows = true
    await view.start(stopping.signal)
  }
  if (!isEnrolled || waitsForTpm) await show()
  const doctor = makeFirstLook({
    clock,
    signal: stopping.signal,
    checks: machine.checks,
    context: () => ({
      ...{ stateDir, config, clock, role: 'decoys', identity: undefined, claim: progress.controller, root: '' },
    }),
    onFound(found) {
      findings = found
      for (const { name, detail } of found) log.warn({ check: name }, detail)
    },
  })
  /** What was found before was found on another way, or to nobody. */
  async function settle(): Promise<void> {
    if (isEnrolled) return
    settled = true
    config = await loadConfig(stateDir).catch((error) => {
      log.warn({ why: wordsOf(error) }, 'the settings could not be read anew')
      return config
    })
    page = config.console.page
    findings = []
    doctor.anew()
  }
  try {
    // As soon as it is somebody's, nobody asks for what is left any more.
    if (!isEnrolled) await finishWipeInTime({ ...o, log, signal: stopping.signal })
    await firstBoot({
      stateDir,
      root: '',
      clock,
      random,
      log,
      version: agentVersion,
      signal: stopping.signal,
      built: await builtAt(),
      look: machine.look,
      command: run,
      ...systemTime,
      takeTyped: typedHere.take,
      tell(told) {
        const known = progress.controller
        progress = { ...progress, ...told }
        const { controller } = progress
        // Only who belongs to nobody waits for a file or uses one: a box whose key turned out not to open any more, too.
        if (isEnrolled && told.waitsForFile !== undefined) {
          isEnrolled = false
          void show()
        }
        if (!settled || (controller && addressOf(controller) !== addressOf(known))) void settle()
      },
      onStep(kind) {
        // What cannot be kept is tried again and again: that keeps the doctor from nothing.
        if (kind === 'keep' && before !== 'keep') settled = false
        before = kind
      },
    })
  } catch (error) {
    if (!stopping.signal.aborted) throw error
    log.info({ why: wordsOf(error) }, 'stopped; it goes on with the next start')
    return 1
  } finally {
    stopping.abort(new Error('done'))
    await doctor.ended()
    if (shows) await view.stop()
  }
  log.info('this box belongs to its controller')
  return 0
}
