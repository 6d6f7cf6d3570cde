import { pick, type Random } from '../../shared/random.ts'
import type { PersonaSchedule, PersonaUser } from '../../shared/schemas/persona.ts'
import { minutesOf } from './cron-times.ts'
import type { Neighbour } from './neighbours.ts'
import { isPerson } from './people.ts'
import type { Schedule, Template } from './template.ts'

/** Share of a segment's traffic in each hour of the day, in the persona's time zone; nothing delivers it yet. */
export type TrafficByHour = readonly number[]

export type BuiltSchedule = { schedule: PersonaSchedule; because: string }

/** When its people work and log in, what cron does, how often it is updated and restarted. */
export function buildSchedule(
  base: Schedule,
  template: Template,
  users: readonly PersonaUser[],
  neighbours: readonly Neighbour[],
  traffic: TrafficByHour | undefined,
  random: Random,
): BuiltSchedule {
  const seen = traffic && workingHours(traffic)
  const places = neighbours.map(({ ip }) => ip).sort()
  const people = users.filter((user) => isPerson(template, user))
  const from = places.length > 0 ? pick(random, places) : 'tty1'
  return {
    schedule: {
      workDays: [...base.workDays],
      workFrom: seen?.from ?? base.workFrom,
      workTo: seen?.to ?? base.workTo,
      cron: base.cron.map((line) => ({ ...line })),
      logins: people.map(({ name }) => ({
        user: name,
        perDay: Math.round(base.loginsPerDay * (0.4 + random() * 1.2) * 100) / 100,
        from,
      })),
      updateEveryDays: base.updateEveryDays,
      rebootEveryDays: base.rebootEveryDays,
    },
    because: seen
      ? `the segment is busy from ${seen.from} to ${seen.to} o'clock`
      : `the hours that ${template.label} usually sees; traffic by hour is not known`,
  }
}

/** The hours that hold the bulk of the traffic: from the first to the last with more than the mean. */
export function workingHours(traffic: TrafficByHour): { from: number; to: number } | undefined {
  const mean = traffic.reduce((sum, share) => sum + share, 0) / 24
  const busy = traffic.flatMap((share, hour) => (share > mean ? [hour] : []))
  const [first] = busy
  if (traffic.length !== 24 || first === undefined) return undefined
  return { from: first, to: (busy.at(-1) ?? first) + 1 }
}

/** A line of cron at a quiet time of the night, drawn. */
export const nightly = (random: Random): string => `${minutesOf(random)} ${1 + Math.floor(random() * 4)} * * *`
