import { type Clock, isoNow } from '../../shared/clock.ts'
import type { Log } from '../../shared/log.ts'
import type { MimicryPlan, MimicryReport } from '../../shared/schemas/mimicry.ts'
import type { KeptProcess } from '../engine/index.ts'
import { makeAccounts } from './accounts.ts'
import { movedMost } from './asked-and-had.ts'
import { makeWays } from './context.ts'
import type { Pattern } from './patterns.ts'
import { sliceOf } from './slice.ts'
import { type Told, toldBy } from './told.ts'

export type OneDecoyDeps = {
  decoy: string
  plan: MimicryPlan
  /** As its package manager calls itself. */
  agent: string
  patterns: () => readonly Pattern[]
  /** Begins the process in the pod, and keeps it. */
  keep: (onLine: (line: string) => void, onStarted: () => void) => KeptProcess
  clock: Clock
  log: Log
  sliceMs: number
}

/**
 * What one decoy does by itself, as long as its plan is the same.
 *
 *   patterns -> slice of the next minutes -> process in the pod -> what it had -> accounts -> report, new parameters
 */
export function mimicOne({ decoy, plan, agent, patterns, keep, clock, log, sliceMs }: OneDecoyDeps) {
  const accounts = makeAccounts(plan.instantiations)
  const ways = makeWays()
  const draws = new Array<number>(plan.instantiations).fill(0)
  let plannedTo = 0
  let reportedAt = clock.now()

  function onLine(line: string): void {
    const said = toldBy(line)
    if (!said) {
      log.warn({ decoy, line: line.slice(0, 200) }, 'mimicry told something else')
      return
    }
    if (said.type === 'trouble' || said.type === 'ended') log.warn({ decoy, why: said.why }, 'mimicry in a pod')
    accounts.add(said, clock.now())
    if (said.type === 'done') measure(said)
  }

  function measure({ ip, port, connectMs, movedBytes = 0, movedMs = 0 }: Extract<Told, { type: 'done' }>): void {
    if (connectMs !== undefined) ways.measured(`${ip}:${port}`, connectMs, movedBytes, movedMs)
  }

  /** A process that begins is told what was done before, and what comes next. */
  function onStarted(): void {
    kept.say(JSON.stringify({ already: accounts.spent(clock.now()), agent, ...handshakeOf(patterns()) }))
    plannedTo = 0
    planOn(true)
  }

  function planned(from: number, to: number) {
    const slice = sliceOf({ plan, patterns: patterns(), draws, measured: ways.all() }, from, to)
    for (let i = 0; i < plan.instantiations; i++) {
      const own = slice.asked.filter(({ instance }) => instance === i)
      accounts.planned(i, own.length, slice.bounded[i] ?? 0)
    }
    return slice
  }

  function planOn(anew: boolean): void {
    const now = clock.now()
    const [from, to] = [Math.max(plannedTo, now), now + sliceMs]
    const slice = planned(from, to)
    const asked = slice.asked.map(({ target: { role, ip, port, proto }, ...one }) => ({
      ...one,
      target: { role, ip, port, proto },
    }))
    accounts.asked(slice.asked, now)
    kept.say(JSON.stringify({ anew, slice: asked }))
    plannedTo = to
  }

  const kept = keep(onLine, onStarted)

  return {
    running: kept.running,
    /** Plans on where less than half a slice is left. What a process that is gone does not do was planned all the same. */
    goOn(): void {
      const now = clock.now()
      if (plannedTo === 0) return
      if (kept.running()) {
        if (plannedTo - now < sliceMs / 2) planOn(false)
      } else if (plannedTo < now) {
        planned(plannedTo, now)
        plannedTo = now
      }
    },
    /** What was done since the last report; an instance over its threshold gets new parameters. */
    reports(everyMs: number): MimicryReport[] {
      const [now, since] = [clock.now(), reportedAt]
      if (now - since < everyMs) return []
      reportedAt = now
      let redrawnAny = false
      const reports = accounts.take().map((counts, instance): MimicryReport => {
        const { score, moved } = movedMost(accounts.lately(instance)) ?? {}
        const redrawn = score !== undefined && score > plan.driftThreshold
        if (redrawn) {
          draws[instance] = (draws[instance] ?? 0) + 1
          accounts.forget(instance)
          log.info({ decoy, instance, score, threshold: plan.driftThreshold }, 'an instance draws new parameters')
        }
        redrawnAny ||= redrawn
        const about = { type: 'mimicry', at: isoNow(clock), decoy, instance, seconds: (now - since) / 1000 } as const
        return { ...about, ...counts, ...(score !== undefined && { score }), ...(moved && { moved }), redrawn }
      })
      if (redrawnAny && kept.running()) {
        plannedTo = 0
        planOn(true)
      }
      return reports
    },
    stop: () => kept.stop(),
  }
}
/** How long servers' answers to a TLS handshake are in the segment: peers' certificates shall be as large. */
export function handshakeOf(patterns: readonly Pattern[]): { handshake?: number } {
  const answers = patterns.find(({ kind }) => kind === 'https')?.opening?.[0]?.response ?? []
  const median = answers[answers.length >> 1]
  return median === undefined ? {} : { handshake: Math.round(median) }
}
export type OneDecoy = ReturnType<typeof mimicOne>
