import { readFile } from 'node:fs/promises'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { Engine, ObservedContainer } from '../engine/port.ts'
import type { Report } from '../spool/port.ts'
import { attemptsProgram } from './attempts.ts'
import { type Target, targetsFor } from './targets.ts'
import { podTrouble, type Verdict, verdictOf } from './verdict.ts'

export type SafetyDeps = {
  engine: Pick<Engine, 'containers' | 'exec'>
  report: Report
  clock: Clock
  log: Log
  /** Decoys that may run: their address, and where the plan lets them go. */
  decoys: () => readonly SafetySubject[]
  /** Ends a decoy at once, and keeps it from being started before an administrator releases it. */
  takeDown(decoy: string, reason: string): Promise<void>
  /** How long a run of a container is taken for safe; a new run is tried at the next look. */
  everySeconds: number
  lookEveryMs?: number
  /** Told of each try, by the container's name. */
  onVerdict?: (container: string, verdict: Verdict) => void
}

export type SafetySubject = Target & { decoy: string }

const tryTimeoutMs = 20_000
/** Tries in a row that could not be made before somebody is told, and before the decoy goes: see `act`. */
const unknownsToTell = 3
const unknownsToEnd = 6

/**
 * Tries, inside each decoy and again and again, what a decoy must not be able to do.
 *
 *   look -> containers whose run was not tried within `everySeconds`, one after another
 *        -> safe: noted | unsafe: taken down, then notice DECOY_UNSAFE | unknown: told after some (an error, so an alert),
 *           taken down after more where other containers could be tried meanwhile
 *
 * A look comes every ten seconds, so that a fresh container is tried soon after it began.
 */
export function makeSafety(deps: SafetyDeps): Part {
  const { engine, clock, log } = deps
  const tried = new Map<string, { run: string; at: number }>()
  const unknowns = new Map<string, { times: number; since: number }>()
  /** When each container was last tried with a clear outcome. */
  const clear = new Map<string, number>()
  const filterTroubles = new Map<string, number>()

  async function round(signal: AbortSignal): Promise<number> {
    const subjects = new Map(deps.decoys().map((subject) => [subject.decoy, subject]))
    const containers = await engine.containers()
    const known = new Set(containers.map(({ id }) => id))
    for (const map of [tried, unknowns, clear, filterTroubles])
      for (const id of map.keys()) if (!known.has(id)) map.delete(id)
    const gone = new Set<string>()
    for (const container of containers) {
      const decoy = container.labels['marshlight.decoy'] ?? ''
      const subject = subjects.get(decoy)
      if (signal.aborted || !subject || gone.has(decoy) || !isDue(container)) continue
      tried.set(container.id, { run: container.startedAt ?? '', at: clock.now() })
      const verdict = await tryIn(container, subject)
      if (verdict.is !== 'unknown') clear.set(container.id, clock.now())
      if (await act(container, subject, verdict)) gone.add(decoy)
      deps.onVerdict?.(container.name, verdict)
    }
    return deps.lookEveryMs ?? 10_000
  }

  function isDue({ id, running, startedAt = '' }: ObservedContainer): boolean {
    const last = tried.get(id)
    return running && (last?.run !== startedAt || clock.now() - last.at >= deps.everySeconds * 1000)
  }

  async function tryIn(container: ObservedContainer, subject: SafetySubject): Promise<Verdict> {
    try {
      if (container.labels['marshlight.kind'] === 'pod') return await tryPod(container)
      const argv = ['python3', '-IBS', '-c', attemptsProgram, JSON.stringify(targetsFor(subject))]
      const { exitCode, output } = await engine.exec(container.id, argv, { timeoutMs: tryTimeoutMs })
      return verdictOf(exitCode, output)
    } catch (error) {
      return { is: 'unknown', because: wordsOf(error) }
    }
  }

  /** What a command in the pod could do says nothing of the process that stays there; and its rules are read back. */
  async function tryPod({ id, pid }: ObservedContainer): Promise<Verdict> {
    if (pid === undefined) return { is: 'unknown', because: 'the engine names no process' }
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    // Before it has set its rules and given up its rights nothing else runs in its network.
    if (!/^Name:\s*sleep$/m.test(status)) return { is: 'unknown', because: 'it is still setting its rules' }
    const { exitCode, output } = await engine.exec(id, ['marshlight-pod', 'verify'], { timeoutMs: tryTimeoutMs })
    const trouble = podTrouble(status)
    const times = exitCode === 0 ? 0 : (filterTroubles.get(id) ?? 0) + 1
    filterTroubles.set(id, times)
    const filter = `its packet filter is not the plan's: ${output.trim().slice(0, 200)}`
    // A new plan is written down a moment before it is put in force.
    if (times === 1 && trouble.length === 0) return { is: 'unknown', because: filter }
    if (times > 0) trouble.push(filter)
    return trouble.length === 0 ? { is: 'safe', tried: 2 } : { is: 'unsafe', because: trouble }
  }

  /**
   * Whether the decoy was taken down. Who controls a container can end what tries in it, or leave it no room: one that
   * cannot be tried again and again, where the engine and this machine are well enough to try others, is not safe.
   */
  async function act(container: ObservedContainer, { decoy, ip }: SafetySubject, verdict: Verdict): Promise<boolean> {
    if (verdict.is === 'safe') {
      unknowns.delete(container.id)
      log.debug({ container: container.name, tried: verdict.tried }, 'a decoy could do nothing it must not')
      return false
    }
    if (verdict.is === 'unsafe') {
      await end(decoy, ip, `it could do what no decoy may: ${verdict.because.join('; ')}`)
      return true
    }
    // Tried again at the next look.
    tried.delete(container.id)
    const { times: before, since } = unknowns.get(container.id) ?? { times: 0, since: clock.now() }
    const times = before + 1
    unknowns.set(container.id, { times, since })
    const next = `it goes on to be tried; \`marshlight decoys retire\` takes it away`
    if (times === unknownsToTell)
      await notify('SAFETY_UNKNOWN', `decoy ${ip} could not be tried: ${verdict.because}; ${next}`, decoy)
    const othersWere = [...clear].some(([id, at]) => id !== container.id && at >= since)
    if (times < unknownsToEnd || !othersWere) return false
    await end(decoy, ip, `it could not be tried ${times} times in a row, while others could: ${verdict.because}`)
    return true
  }

  async function end(decoy: string, ip: string, why: string): Promise<void> {
    const reason = why.slice(0, 500)
    await deps.takeDown(decoy, reason)
    await notify('DECOY_UNSAFE', `decoy ${ip} was taken down: ${reason}`, decoy)
  }

  async function notify(code: string, words: string, decoy: string): Promise<void> {
    const message = words.slice(0, 1024)
    log.error({ code, decoy }, message)
    await deps.report('state', [{ type: 'notice', at: isoNow(clock), level: 'error', code, message, data: { decoy } }])
  }

  return makeRounds({ name: 'safety', clock, log, round, failure: 'could not try the decoys', afterFailureMs: 10_000 })
}
