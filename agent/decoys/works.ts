import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Claim } from './arp-line.ts'
import { type AttemptRules, failed } from './entry.ts'
import { runStages } from './execute.ts'
import type { Ledger } from './ledger.ts'
import type { Step, Steps, Work } from './steps.ts'

type Deps = {
  execute: (step: Step) => Promise<void>
  ledger: Pick<Ledger, 'get' | 'put'>
  clock: Pick<Clock, 'now'>
  log: Log
  attemptRules: AttemptRules
  /** Decoys that are worked on at the same time. */
  atOnce: number
  /** Something changed that is worth a look. */
  ring: () => void
  giveUp: (claim: Claim) => Promise<void>
  onOrphanRemoved: (name: string, because: string) => void
}

/** What is being done: one work a decoy at a time, and the tidying. A failure is noted in the decoy's entry. */
export function makeWorks(deps: Deps) {
  const { execute, ledger, log } = deps
  const busy = new Map<string, Promise<void>>()

  async function carryOut({ decoy, stages }: Work): Promise<void> {
    try {
      await runStages(stages, async (step) => {
        // A claim or a verdict that came in the meantime ends the work; the next look clears up.
        const entry = ledger.get(decoy)
        if ((entry?.withdrawn || entry?.condemned) && step.do.startsWith('start')) return
        await execute(step)
      })
    } catch (error) {
      await noteFailure(decoy, error)
    }
  }

  async function noteFailure(decoy: string, error: unknown): Promise<void> {
    const entry = ledger.get(decoy)
    const known = error instanceof MarshlightError ? error : undefined
    log.warn({ decoy, code: known?.code, why: wordsOf(error) }, 'could not bring a decoy about')
    if (!entry || entry.gone || known?.code === 'DOCKER_UNREACHABLE') return
    if (known?.code === 'ADDRESS_TAKEN') return deps.giveUp({ ip: entry.ip, mac: String(known.details.mac) })
    const reason = known ? `${known.message}. ${known.next}` : wordsOf(error)
    await ledger.put(failed(entry, reason, deps.clock.now(), deps.attemptRules))
  }

  async function tidy(steps: Steps['tidying']): Promise<void> {
    for (const step of steps)
      try {
        await execute(step)
        // Not after a failure: that would be tried again without a pause.
        deps.ring()
        if (step.do === 'removeContainer') deps.onOrphanRemoved(step.name, step.because)
      } catch (error) {
        log.warn({ step: step.do, why: wordsOf(error) }, 'could not tidy up')
      }
  }

  return {
    /** Begins as many works as may go on at once; the rest is planned again at the next look. */
    begin(steps: Steps): void {
      for (const work of steps.works) {
        if (busy.size >= deps.atOnce) break
        const done = carryOut(work).finally(() => {
          busy.delete(work.decoy)
          deps.ring()
        })
        busy.set(work.decoy, done)
      }
      if (steps.tidying.length > 0 && !busy.has('tidying')) {
        const done = tidy(steps.tidying).finally(() => busy.delete('tidying'))
        busy.set('tidying', done)
      }
    },
    busyWith: (decoy: string): boolean => busy.has(decoy),
    underWay: (): ReadonlySet<string> => new Set(busy.keys()),
    /** Whether any decoy is worked on; tidying does not count. */
    onDecoys: (): boolean => [...busy.keys()].some((key) => key !== 'tidying'),
    ended: (): Promise<unknown> => Promise.all(busy.values()),
  }
}
