import type { Clock } from '../../shared/clock.ts'
import type { Finding } from '../console/index.ts'
import type { Check, CheckContext } from './checks/check.ts'

/** The doctor looks at once, once more after a minute, and then now and then. */
const doctorMs = [60_000, 300_000]

export type FirstLookDeps = {
  clock: Clock
  signal: AbortSignal
  /** Undefined: all that the doctor has. */
  checks?: readonly Check[] | undefined
  context(): CheckContext
  onFound(findings: Finding[]): void
}

/** What the doctor finds while a box belongs to nobody yet. */
export function makeFirstLook({ clock, signal, context, onFound, ...deps }: FirstLookDeps) {
  let over = new AbortController()
  let looking: Promise<void> = Promise.resolve()

  async function nowAndThen(until: AbortSignal): Promise<void> {
    const [{ examine }, { checks }] = await Promise.all([import('./checks/examine.ts'), import('./checks/registry.ts')])
    const due = deps.checks ?? checks
    for (let round = 0; !until.aborted; round++) {
      const found = await Promise.race([examine(due, context()), aborted(until)])
      if (!found) return
      // That it is not enrolled yet is what all this is about; that no controller can be tried before follows from it.
      onFound(found.filter(({ name, ok, follows }) => !ok && follows === undefined && name !== 'enrolment'))
      await clock.sleep(doctorMs[Math.min(round, doctorMs.length - 1)] ?? 60_000, until).catch(() => undefined)
    }
  }

  return {
    /** Looks from now on; what is under way was begun with other settings, and is left. */
    anew(): void {
      over.abort(new Error('other settings'))
      over = new AbortController()
      looking = nowAndThen(AbortSignal.any([signal, over.signal]))
    },
    /** Once the signal ended it. */
    ended: () => looking,
  }
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
