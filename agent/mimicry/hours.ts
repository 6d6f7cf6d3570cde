import { z } from 'zod'
import type { Conversation } from './conversation.ts'
import type { Span } from './patterns.ts'

const hourMs = 3_600_000
export const hoursOfWeek = 168
const weeks = 4
/** 1970 began on a Thursday; weeks begin on Monday. */
const firstMonday = 96
/**
 * An hour of the week that was watched for less than half an hour counts as watched so much longer, at the rate of its hour of
 * the day: a minute of it says next to nothing.
 */
const [enoughHours, borrowedHours] = [0.5, 0.1]

const number = z.number().min(0)
/** Hours of the clock since 1970 that were watched, for how long, and conversations that began in each, by kind. */
export const hourCounts = z.array(
  z.object({ hour: z.int().min(0), ms: number, counts: z.record(z.string().max(32), number) }),
)
export type HourCounts = z.infer<typeof hourCounts>

/** Adds a time of watching. What is older than four weeks goes, as do kinds that are not to be kept. Pure. */
export function counted(
  held: HourCounts,
  conversations: readonly Conversation[],
  { from, to }: Span,
  keeps: ReadonlySet<string>,
): HourCounts {
  const since = Math.floor(to / hourMs) - weeks * hoursOfWeek
  const hours = new Map(
    held.filter(({ hour }) => hour > since).map((one) => [one.hour, { ...one, counts: { ...one.counts } }]),
  )
  const at = (time: number) => {
    const hour = Math.floor(time / hourMs)
    const one = hours.get(hour) ?? { hour, ms: 0, counts: {} }
    hours.set(hour, one)
    return one
  }
  for (let begin = from; begin < to; ) {
    const own = at(begin)
    const end = Math.min(to, (own.hour + 1) * hourMs)
    own.ms += end - begin
    begin = end
  }
  for (const one of conversations) {
    if (one.at < (since + 1) * hourMs || !keeps.has(one.kind)) continue
    const { counts } = at(one.at)
    counts[one.kind] = (counts[one.kind] ?? 0) + 1
  }
  return [...hours.values()].sort((a, b) => a.hour - b.hour)
}

/**
 * Conversations of a kind an hour, by hour of the day and by hour of the week, UTC. An hour of the day that was not watched has
 * the mean of the others; one of the week that of its hour of the day. Pure.
 */
export function ratesOf(hours: HourCounts, kind: string): { hourly: number[]; weekly: number[] } {
  const sums = (length: number, slotOf: (hour: number) => number) => {
    const slots = Array.from({ length }, () => ({ count: 0, watched: 0 }))
    for (const { hour, ms, counts } of hours) {
      const slot = slots[slotOf(hour)]
      if (slot) Object.assign(slot, { count: slot.count + (counts[kind] ?? 0), watched: slot.watched + ms / hourMs })
    }
    return slots
  }
  const days = sums(24, (hour) => hour % 24)
  const [count, watched] = days.reduce(([all, time], one) => [all + one.count, time + one.watched], [0, 0])
  const mean = watched > 0 ? count / watched : 0
  const hourly = days.map((one) => (one.watched > 0 ? one.count / one.watched : mean))
  const weekly = sums(hoursOfWeek, (hour) => hourOfWeek(hour * hourMs)).map(({ count, watched }, slot) => {
    const borrowed = watched < enoughHours ? borrowedHours : 0
    return (count + borrowed * (hourly[slot % 24] as number)) / (watched + borrowed)
  })
  return { hourly, weekly }
}

/** From Monday 0 o'clock UTC. */
export const hourOfWeek = (at: number): number =>
  (Math.floor(at / hourMs) + hoursOfWeek - (firstMonday % hoursOfWeek)) % hoursOfWeek
