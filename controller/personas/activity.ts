/**
 * How busy a segment is in each hour of the week, from Monday 00:00 UTC; null where nothing was observed. Only the shape
 * counts, so hosts that answer and flows do alike.
 */
export type WeekActivity = readonly (number | null)[]

export type Rhythm = {
  /** Hours of the time zone asked for. */
  from: number
  to: number
  /** Days that were observed, Monday is 1, each with whether it is one of the busy ones. */
  days: ReadonlyMap<number, boolean>
  /** Means within and outside of these hours. */
  busy: number
  quiet: number
}

/** Less than this is a coffee break or a backup, not the hours of an office. */
const leastHours = 4
/** Fewer observed hours of a day's working hours say nothing of the day. */
const leastSeen = 3

/**
 * The hours of the day in which a segment is busy: the longest stretch above the middle between its quietest and its
 * busiest hour, where one quiet hour between two busy ones (lunch) breaks nothing. Or in words why there is none.
 */
export function rhythmOf(week: WeekActivity, timezone: string, now: number): Rhythm | string {
  const local = inZone(week, timezone, now)
  const day = Array.from({ length: 24 }, (_, hour) => mean(everyDay(local, hour)))
  const known = day.filter((value) => value !== undefined)
  if (known.length < 24) return `${known.length} of 24 hours of the day were observed so far`
  const [least, most] = [Math.min(...known), Math.max(...known)]
  if (most - least < Math.max(1, 0.1 * most)) return `the segment is as busy at night as by day`
  const middle = (least + most) / 2
  const [from, to] = longest(known.map((value) => value > middle))
  if (to - from < leastHours) return `the segment is busy for ${to - from} hours at a time only`
  const within = (hour: number) => hour >= from && hour < to
  return {
    from,
    to,
    days: daysOf(local, from, to, middle),
    busy: mean(known.filter((_, hour) => within(hour))) ?? 0,
    quiet: mean(known.filter((_, hour) => !within(hour))) ?? 0,
  }
}

/** The same week from Monday 00:00 of a time zone, as its clocks are set now; to the hour. */
function inZone(week: WeekActivity, timezone: string, now: number): WeekActivity {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' }).formatToParts(now)
  const offset = /GMT([+-]\d{2})/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '')
  const hours = Number(offset?.[1] ?? 0)
  return week.map((_, slot) => week[(slot - hours + week.length) % week.length] ?? null)
}

const everyDay = (local: WeekActivity, hour: number) =>
  [0, 1, 2, 3, 4, 5, 6].flatMap((day) => local[day * 24 + hour] ?? [])

function daysOf(local: WeekActivity, from: number, to: number, middle: number): ReadonlyMap<number, boolean> {
  const found = [0, 1, 2, 3, 4, 5, 6].flatMap((day) => {
    const seen = local.slice(day * 24 + from, day * 24 + to).filter((value) => value !== null)
    const value = mean(seen)
    return value === undefined || seen.length < leastSeen ? [] : [[day + 1, value > middle] as const]
  })
  return new Map(found)
}

/** Start and end of the longest stretch of true, gaps of one hour included. */
function longest(busy: readonly boolean[]): [number, number] {
  let found: [number, number] = [0, 0]
  for (const [from, value] of busy.entries()) {
    if (!value) continue
    let to = from + 1
    while (busy[to] || busy[to + 1]) to += busy[to] ? 1 : 2
    if (to - from > found[1] - found[0]) found = [from, to]
  }
  return found
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
