import { type Interval, keyOf } from './intervals.ts'

/** One change of the kernel's set. `renew`: the same addresses, another end. */
export type Step = { kind: 'add' | 'delete' | 'renew'; interval: Interval }

/** The kernel tells ends in whole seconds, so a smaller difference is none. */
export const toleranceMs = 2_000

/** What leads from the intervals in the kernel to the desired ones: deletions first, since the kernel refuses overlap. */
export function planSteps(current: readonly Interval[], desired: readonly Interval[], now: number): Step[] {
  const wanted = new Map(desired.filter((interval) => interval.until > now).map((one) => [keyOf(one), one]))
  const there = new Map(current.filter((interval) => interval.until > now).map((one) => [keyOf(one), one]))
  const steps: Step[] = []
  for (const [key, interval] of there) if (!wanted.has(key)) steps.push({ kind: 'delete', interval })
  for (const [key, interval] of wanted) {
    const held = there.get(key)
    if (!held) steps.push({ kind: 'add', interval })
    else if (Math.abs(held.until - interval.until) > toleranceMs) steps.push({ kind: 'renew', interval })
  }
  return steps
}

/** Differences that remain between the kernel and the list; those about to end within the tolerance are none. */
export const remaining = (current: readonly Interval[], desired: readonly Interval[], now: number): Step[] =>
  planSteps(current, desired, now).filter((step) => step.interval.until - now > toleranceMs)
