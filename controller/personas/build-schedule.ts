import { pick, type Random } from '../../shared/random.ts'
import type { PersonaSchedule, PersonaUser } from '../../shared/schemas/persona.ts'
import { type Rhythm, rhythmOf, type WeekActivity } from './activity.ts'
import { minutesOf } from './cron-times.ts'
import type { Schedule } from './data-files.ts'
import type { Neighbour } from './neighbours.ts'
import { isPerson } from './people.ts'
import type { Template } from './template.ts'

export type BuiltSchedule = { schedule: PersonaSchedule; because: string }

/** When its people work and log in, what cron does, how often it is updated and restarted. */
export function buildSchedule(
  base: Schedule,
  template: Template,
  users: readonly PersonaUser[],
  neighbours: readonly Neighbour[],
  activity: { week: WeekActivity | undefined; timezone: string; now: number },
  random: Random,
): BuiltSchedule {
  const seen = busyHours(base, activity)
  const hours = typeof seen === 'string' ? base : { workFrom: seen.from, workTo: seen.to }
  const workDays = typeof seen === 'string' ? [...base.workDays] : workingDays(base, seen)
  const places = neighbours.map(({ ip }) => ip).sort()
  const people = users.filter((user) => isPerson(template, user))
  const from = places.length > 0 ? pick(random, places) : 'tty1'
  return {
    schedule: {
      workDays,
      workFrom: hours.workFrom,
      workTo: hours.workTo,
      cron: base.cron.map((line) => ({ ...line })),
      logins: people.map(({ name }) => ({
        user: name,
        perDay: Math.round(base.loginsPerDay * (0.4 + random() * 1.2) * 100) / 100,
        from,
      })),
      updateEveryDays: base.updateEveryDays,
      rebootEveryDays: base.rebootEveryDays,
    },
    because:
      typeof seen === 'string'
        ? `the hours that ${template.label} usually sees: ${seen}`
        : `the segment is busy from ${seen.from} to ${seen.to} o'clock (${round(seen.busy)} on average, ${round(seen.quiet)} at other hours), on ${daysInWords(workDays)}`,
  }
}

/** As the segment shows them, or why what is usual for the kind of host is left. */
function busyHours(
  base: Schedule,
  { week, timezone, now }: { week: WeekActivity | undefined; timezone: string; now: number },
): Rhythm | string {
  if (base.workDays.length === 0) return 'nobody works at such a device'
  return week ? rhythmOf(week, timezone, now) : 'when the segment is busy was not observed yet'
}

/** Days that were observed as they are, others as usual. */
function workingDays(base: Schedule, { days }: Rhythm): number[] {
  const found = [1, 2, 3, 4, 5, 6, 7].filter((day) => days.get(day) ?? base.workDays.includes(day))
  return found.length > 0 ? found : [...base.workDays]
}

const names = ['', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const daysInWords = (days: readonly number[]) => days.map((day) => names[day]).join(', ')
const round = (value: number) => Math.round(value * 10) / 10

/** A line of cron at a quiet time of the night, drawn. */
export const nightly = (random: Random): string => `${minutesOf(random)} ${1 + Math.floor(random() * 4)} * * *`
