import type { Clock } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'

const pollMs = 500
/** Without any change of any run; longer than an appliance takes for one, so that it is told by its own words. */
const patienceMs = 600_000

type Run = { id: string; status: string }

export const isOpen = ({ status }: Run): boolean => status === 'queued' || status === 'running'

/** Waits until all runs have ended, however many wait for each other. Throws TIMEOUT once nothing moves any more. */
export async function waitForRuns<T extends Run>(
  asked: readonly T[],
  {
    clock,
    read,
    pausing,
  }: { clock: Clock; read(): Promise<T[]>; pausing(runs: readonly T[], pause: Promise<void>): Promise<void> },
): Promise<readonly T[]> {
  let runs = asked
  let moved = clock.now()
  while (runs.some(isOpen)) {
    await pausing(runs, clock.sleep(pollMs))
    const next = await read()
    if (standing(next) !== standing(runs)) moved = clock.now()
    runs = next
    if (runs.some(isOpen) && clock.now() - moved >= patienceMs)
      throw new MarshlightError('TIMEOUT', {
        what: 'the next of the runs to begin or end',
        seconds: patienceMs / 1000,
        next: 'See `marshlight decoys audits DECOY`.',
      })
  }
  return runs
}

const standing = (runs: readonly Run[]) => runs.map(({ id, status }) => `${id} ${status}`).join()
