import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { MimicryPlan } from '../../shared/schemas/mimicry.ts'
import { type Engine, keepProcess } from '../engine/index.ts'
import type { Report } from '../spool/port.ts'
import type { OneDecoy } from './one-decoy.ts'
import type { Pattern } from './patterns.ts'

export type MimicrySubject = {
  decoy: string
  /** Its pod's container. */
  pod: string
  cidr: string
  plan: MimicryPlan
  /** As its package manager calls itself. */
  agent: string
  /** It runs and is not being worked on: what does not run yet may begin. */
  atRest: boolean
}
export type MimicryDeps = {
  engine: Pick<Engine, 'attach'>
  report: Report
  clock: Clock
  log: Log
  /** Decoys that shall make traffic. */
  subjects: () => readonly MimicrySubject[]
  /** The shape of a segment's traffic as this agent saw it; empty where it saw too little. */
  seen: (cidr: string) => readonly Pattern[]
  /** Reads what an earlier run saw of it. */
  recall?: (cidr: string) => Promise<void>
  lookEveryMs?: number
  sliceMs?: number
  reportEveryMs?: number
}

/**
 * Traffic that decoys make by themselves.
 *
 *   plan -> decoys at rest that shall mimic -> one process in each pod, no others -> slices in, what was had out -> reports
 *
 * A decoy whose plan is changed begins anew; one that is switched off ends at once, by its control file, its packet filter and
 * the end of its process's input, each by itself.
 */
export function makeMimicry(deps: MimicryDeps): Part & { wake(): void } {
  const { engine, clock, log } = deps
  const running = new Map<string, { key: string; one: OneDecoy }>()
  let subjects = new Map<string, MimicrySubject>()

  async function end(decoy: string): Promise<void> {
    const ended = running.get(decoy)
    running.delete(decoy)
    await ended?.one.stop()
  }

  /** What makes traffic is imported by the first decoy that does: mimicry is off on most appliances. */
  async function begin({ decoy, pod, cidr, plan, agent }: MimicrySubject): Promise<OneDecoy> {
    const [{ mimicOne }, { drawnFrom }] = await Promise.all([import('./one-decoy.ts'), import('./drawn-from.ts')])
    const keep = (onLine: (line: string) => void, onStarted: () => void) =>
      keepProcess({ engine, clock, log }, { container: pod, argv: ['marshlight-pod', 'mimic'], onLine, onStarted })
    const patterns = () => drawnFrom(subjects.get(decoy)?.plan.patterns ?? [], deps.seen(cidr))
    log.info({ decoy, level: plan.mimicryLevel, targets: plan.targets.length }, 'a decoy begins to make traffic')
    return mimicOne({ decoy, plan, agent, patterns, keep, clock, log, sliceMs: deps.sliceMs ?? 600_000 })
  }

  async function round(signal: AbortSignal): Promise<number> {
    subjects = new Map(deps.subjects().map((subject) => [subject.decoy, subject]))
    for (const [decoy, { key, one }] of running) {
      const subject = subjects.get(decoy)
      if (!subject || keyOf(subject) !== key || !(subject.atRest || one.running())) await end(decoy)
    }
    for (const subject of subjects.values())
      if (!signal.aborted && subject.atRest && !running.has(subject.decoy)) {
        await deps.recall?.(subject.cidr)
        running.set(subject.decoy, { key: keyOf(subject), one: await begin(subject) })
      }
    for (const { one } of running.values()) {
      one.goOn()
      const reports = one.reports(deps.reportEveryMs ?? 600_000)
      if (reports.length > 0) await deps.report('features', reports)
    }
    return deps.lookEveryMs ?? 2000
  }

  const rounds = makeRounds({
    name: 'mimicry',
    clock,
    log,
    round,
    failure: 'could not keep the traffic of decoys',
    afterFailureMs: 10_000,
  })
  return {
    ...rounds,
    async stop() {
      await rounds.stop()
      const ends = await Promise.allSettled([...running.keys()].map(end))
      for (const one of ends)
        if (one.status === 'rejected') log.warn({ why: wordsOf(one.reason) }, 'mimicry of a decoy')
    },
  }
}

/** Other patterns are taken up with the next slice, all else begins anew. */
const keyOf = ({ pod, plan, agent }: MimicrySubject): string =>
  JSON.stringify([pod, { ...plan, patterns: undefined }, agent])
