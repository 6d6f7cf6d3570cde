import { isMade, roleOf } from '../../shared/mimicry-kinds.ts'
import { defaultShapes } from './default-shapes.ts'
import { hoursOfWeek } from './hours.ts'
import type { Pattern } from './patterns.ts'

/**
 * What a decoy's traffic is drawn from: the plan's patterns, or else what this agent saw, of kinds that can be made. A card
 * that hears broadcasts alone sees none of those. So where nobody saw names looked up, updates fetched, the time asked for or
 * hosts talking to each other, shapes of our own stand for it, each for itself, at the hours at which the segment is heard
 * to say anything. Pure.
 */
export function drawnFrom(told: readonly Pattern[], seen: readonly Pattern[]): Pattern[] {
  const [planned, heard] = [told, seen].map((some) => some.filter(({ kind }) => isMade(kind))) as [Pattern[], Pattern[]]
  const known = planned.length > 0 ? planned : heard
  const has = new Set(known.map(({ kind }) => roleOf(kind)))
  const busy = hoursOf(seen)
  const own = defaultShapes.filter(({ kind }) => !has.has(roleOf(kind)))
  return [...known, ...(busy ? own.map((shape) => atHours(shape, busy)) : own)]
}

/** How busy the segment is in each hour of the week beside its mean; undefined where nothing says so. */
function hoursOf(seen: readonly Pattern[]): number[] | undefined {
  const sums = Array.from({ length: hoursOfWeek }, (_, slot) =>
    seen.reduce((sum, { hourly, weekly }) => sum + ((weekly?.[slot] ?? hourly[slot % 24]) as number), 0),
  )
  const mean = meanOf(sums)
  return mean > 0 ? sums.map((sum) => sum / mean) : undefined
}

const atHours = (shape: Pattern, busy: readonly number[]): Pattern => ({
  ...shape,
  weekly: busy.map((times) => times * meanOf(shape.hourly)),
})

const meanOf = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length
