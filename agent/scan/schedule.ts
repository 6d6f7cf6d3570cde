import type { Random } from '../../shared/random.ts'
import type { ScanPolicy } from '../../shared/schemas/desired-state.ts'

export type Task = 'quick' | 'full' | 'detail'

/** When each task of a segment is due, milliseconds since 1970; 0 means at once. */
export type Due = Record<Task, number>

export const atOnce: Due = { quick: 0, full: 0, detail: 0 }

export const secondsOf = (policy: ScanPolicy, task: Task): number =>
  ({ quick: policy.quickEverySeconds, full: policy.fullPictureEverySeconds, detail: policy.detailEverySeconds })[task]

/** The next time after a run that ended now: the interval, up to a tenth sooner or later so that a fleet does not beat in time. */
export const nextDue = (policy: ScanPolicy, task: Task, now: number, random: Random): number =>
  Math.round(now + secondsOf(policy, task) * 1000 * (0.9 + 0.2 * random()))

/** After a failure: sooner than the whole interval, never in a tight loop. */
export const nextTry = (policy: ScanPolicy, task: Task, now: number, random: Random): number =>
  Math.round(now + Math.min(300, secondsOf(policy, task)) * 1000 * (0.5 + 0.5 * random()))

const order: readonly Task[] = ['quick', 'full', 'detail']

/**
 * What to do first of all segments: who is there comes before the full picture, and that before details, everywhere. A
 * detail pass of one segment takes minutes, in which nothing would be known of another.
 */
export function firstDue<T>(segments: readonly T[], dueOf: (segment: T) => Due, now: number): [T, Task] | undefined {
  for (const task of order) {
    const segment = segments.find((one) => dueOf(one)[task] <= now)
    if (segment !== undefined) return [segment, task]
  }
  return undefined
}

/** A new policy may shorten what is waited for; a clock that was set back must not make it last forever. */
export function shortened(due: Due, policy: ScanPolicy, now: number): Due {
  const cap = (task: Task) => Math.min(due[task], Math.round(now + secondsOf(policy, task) * 1100))
  return { quick: cap('quick'), full: cap('full'), detail: cap('detail') }
}
