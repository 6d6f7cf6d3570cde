import { existsSync, type FSWatcher, mkdirSync, watch } from 'node:fs'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { DesiredUpdate, Running, UpdatePhase, UpdateState } from '../../shared/schemas/update.ts'
import type { Report } from '../spool/port.ts'
import type { ExecuteDeps, Telling } from './execute.ts'
import { updatesFolder } from './held.ts'
import { launcherFiles, seeLauncher } from './launcher-files.ts'
import { offlinePath, readOffline } from './offline.ts'
import type { OpenedUpdates } from './opened.ts'
import { bytesHere } from './parts.ts'
import { plan } from './plan.ts'
import type { PlanRules, Seen, Step } from './steps.ts'
import { type Look, missingOf } from './wellness.ts'

export type UpdatesDeps = {
  stateDir: string
  opened: OpenedUpdates
  clock: Clock
  random: Random
  log: Log
  report: Report
  /** What the plan that is held desires, from disk. */
  heldUpdate(): DesiredUpdate | undefined
  /** How the other rooms do. */
  look(): Look
  /** What a step needs of the world outside this folder; made when the first step is done. */
  hands(): Promise<Pick<ExecuteDeps, 'box' | 'fetch' | 'installAgent' | 'loadImages' | 'dropImages' | 'reboot'>>
  rules?: Partial<PlanRules>
}

export type UpdatesStanding = {
  running: Running
  launcher: boolean
  update?: { version: string; phase: UpdatePhase; code?: string; reason?: string; bytes?: number; of?: number }
}
export type Updates = Part & {
  /** A new plan's. */
  apply(desired: DesiredUpdate | undefined): void
  standing(): UpdatesStanding
}

const rules: PlanRules = { steadyMs: 20_000, marginMs: 5_000, attempts: 3 }
const trialLookMs = 1_000
const idleMs = 3_600_000
const afterFailureMs = 30_000
/** A version that ran so long counts as one that runs. */
const runsWellMs = 60_000

/**
 *   plan, stick, launcher's files -> observe -> plan() -> first step -> observe ...
 *
 * Nothing of it runs while nothing is wanted; what does the work is imported when it is needed.
 */
export function makeUpdates(deps: UpdatesDeps): Updates {
  const { stateDir, opened, clock, log } = deps
  const began = performance.now()
  /** Of a clock that does not leap. */
  const uptime = () => performance.now() - began
  let desired: DesiredUpdate | undefined
  let wellSince: number | undefined
  let ending = false
  let told: UpdatesStanding['update']
  const stopping = new AbortController()
  let renewed = new AbortController()
  let stick: FSWatcher | undefined
  let execute: ((step: Step, signal: AbortSignal) => Promise<void>) | undefined

  async function tell(of: { rollout: string; version: string }, what: Telling): Promise<void> {
    const at = isoNow(clock)
    const state: UpdateState = { type: 'update', at, ...of, ...what, running: opened.running() }
    const { rollout: _, ...shown } = { ...of, ...what }
    told = shown
    await deps.report('state', [state])
  }

  async function executor(): Promise<NonNullable<typeof execute>> {
    if (execute) return execute
    const [{ makeExecutors }, hands] = await Promise.all([import('./execute.ts'), deps.hands()])
    const executors = makeExecutors({
      ...{ stateDir, disk: opened.disk, clock, random: deps.random, log, env: opened.env, slots: opened.slots },
      ...{ held: opened.held, save: opened.save, tell, look: deps.look, desired: () => desired },
      ...hands,
      seeLauncher: () => seeLauncher(stateDir),
      end(code, why) {
        ending = true
        opened.end(code, why)
      },
      async reboot(why) {
        ending = true
        await hands.reboot(why)
      },
    })
    execute = (step, signal) => (executors[step.do] as (step: Step, signal: AbortSignal) => Promise<void>)(step, signal)
    return execute
  }

  async function observe(): Promise<Seen> {
    const held = opened.held()
    const { current } = held
    const offline = await readOffline(stateDir)
    const onTrial = current?.phase === 'trial' && opened.env?.trial === current.rollout
    const missing = onTrial ? missingOf(current, deps.look()) : undefined
    wellSince = onTrial && missing === undefined ? (wellSince ?? uptime()) : undefined
    if (onTrial && missing !== undefined && missing !== current.missing)
      await opened.save({ ...held, current: { ...current, missing: missing.slice(0, 512) } })
    return {
      held: opened.held(),
      launcher: await seeLauncher(stateDir),
      running: opened.running(),
      bytes: await bytesHere(stateDir),
      ...(opened.env && { env: opened.env }),
      ...(missing !== undefined && { missing }),
      ...(wellSince !== undefined && { wellSince }),
      ...(offline && { offline }),
    }
  }

  async function round(signal: AbortSignal): Promise<number> {
    while (!ending && !signal.aborted) {
      renewed = new AbortController()
      const seen = await observe()
      const { steps } = plan(seen, desired, uptime(), { ...rules, ...deps.rules })
      const [step] = steps
      if (!step) return seen.held.current?.phase === 'trial' ? trialLookMs : idleMs
      const until = AbortSignal.any([signal, renewed.signal])
      try {
        await (await executor())(step, until)
      } catch (error) {
        if (!until.aborted) throw error
      }
    }
    return idleMs
  }

  const rounds = makeRounds({
    name: 'updates',
    ...{ clock, log, afterFailureMs, round },
    failure: 'an update goes on later',
  })

  return {
    ...rounds,
    async start(signal) {
      if (opened.notices.length > 0) await deps.report('state', [...opened.notices])
      desired = deps.heldUpdate()
      await rounds.start(signal)
      const folder = updatesFolder(stateDir)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      stick = watch(folder, { persistent: false }, (_, name) => {
        if (name !== null && offlinePath(stateDir).endsWith(name) && existsSync(offlinePath(stateDir))) rounds.wake()
      })
      stick.on('error', (error) => log.warn(`a release on a stick is seen late: ${wordsOf(error)}`))
      clock
        .sleep(runsWellMs, AbortSignal.any([signal, stopping.signal]))
        .then(() => launcherFiles(opened.disk, stateDir).runsWell())
        .catch(() => undefined)
    },
    async stop() {
      stick?.close()
      stopping.abort(new Error('stopping'))
      await rounds.stop()
    },
    apply(next) {
      if (JSON.stringify(next) === JSON.stringify(desired)) return
      desired = next
      renewed.abort(new Error('the plan changed'))
      rounds.wake()
    },
    standing() {
      const last = opened.held().settled.at(-1)
      const { current } = opened.held()
      const update: Known | undefined = told ?? current ?? last
      return {
        running: opened.running(),
        launcher: opened.env !== undefined,
        ...(update && { update: shownOf(update) }),
      }
    },
  }
}

type Shown = NonNullable<UpdatesStanding['update']>
type Known = Pick<Shown, 'version' | 'phase'> & { [K in keyof Shown]?: Shown[K] | undefined }
const shownOf = ({ version, phase, code, reason, bytes, of }: Known): Shown => ({
  version,
  phase,
  ...(code !== undefined && { code, ...(reason !== undefined && { reason }) }),
  ...(of !== undefined && { bytes: bytes ?? 0, of }),
})
