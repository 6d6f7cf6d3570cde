import type { Conversation, Exchange } from './conversation.ts'
import { hourOfWeek } from './hours.ts'
import { type Quantiles, quantilesOf } from './quantiles.ts'

/** How large exchanges are, and the pause before each. */
export type Shape = { request: Quantiles; response: Quantiles; pauseMs: Quantiles }

/** The shape of one kind of conversation: how often it comes, how many exchanges it has, how large and how fast they are. */
export type Pattern = {
  kind: string
  /** Conversations of all hosts an hour, by hour of the day in UTC. */
  hourly: number[]
  /** The same by hour of the week, from Monday; without it every day is alike. */
  weekly?: number[] | undefined
  /** How many hosts have them; without it one. */
  hosts?: number | undefined
  /** Milliseconds to a host's next conversation of a burst; `burst` of all follow another within two minutes. */
  burst: number
  gapMs: Quantiles
  exchanges: Quantiles
  /** Of the first exchanges of each, by their place: greetings and handshakes are no requests like others. */
  opening?: Shape[] | undefined
  /** The others by size of the request, smallest first: small and large requests have their own responses and pauses. */
  classes: ({ share: number } & Shape)[]
  /** Conversations that it was read from. */
  n: number
}

const hourMs = 3_600_000
const burstMs = 120_000
/** Conversations of a kind below which it is no pattern. */
const least = 10
const sizeClasses = 4
/** Exchanges that are told by their place, and the part of the conversations that goes on after them. */
const mostOpening = 4
const nearlyAll = 0.9

export type Span = { from: number; to: number }

/** The patterns of a sample that was watched from `from` to `to`, milliseconds since 1970. Pure. */
export const extractPatterns = (sample: readonly Conversation[], from: number, to: number): Pattern[] =>
  patternsOf(sample, [{ from, to }])

/** The same, of a sample that was watched with breaks. */
export function patternsOf(sample: readonly Conversation[], watched: readonly Span[]): Pattern[] {
  return [...Map.groupBy(sample, ({ kind }) => kind)]
    .filter(([, all]) => all.length >= least)
    .map(([kind, all]) => patternOf(kind, all, watched))
    .sort((a, b) => b.n - a.n || a.kind.localeCompare(b.kind))
}

function patternOf(kind: string, all: Conversation[], spans: readonly Span[]): Pattern {
  const sorted = [...all].sort((a, b) => a.at - b.at)
  // What lies between two times of watching is no gap.
  const gaps = spans.flatMap(({ from, to }) => {
    const within = sorted.filter(({ at }) => at >= from && at < to)
    return [...Map.groupBy(within, ({ by }) => by).values()].flatMap((own) =>
      own.slice(1).map(({ at }, i) => at - (own[i] as Conversation).at),
    )
  })
  const short = gaps.filter((gap) => gap <= burstMs)
  const opened = openingOf(sorted)
  const exchanges = sorted.flatMap((one) => one.exchanges.slice(opened)).sort((a, b) => a.request - b.request)
  const size = Math.ceil(exchanges.length / sizeClasses)
  const classes = Array.from({ length: sizeClasses }, (_, i) => exchanges.slice(i * size, (i + 1) * size))
  return {
    kind,
    hourly: hourlyOf(sorted, spans),
    burst: gaps.length === 0 ? 0 : short.length / gaps.length,
    gapMs: quantilesOf(short),
    exchanges: quantilesOf(sorted.map((one) => one.exchanges.length)),
    ...(opened > 0 && {
      opening: Array.from({ length: opened }, (_, i) =>
        shapeOf(sorted.flatMap((one) => one.exchanges.slice(i, i + 1))),
      ),
    }),
    classes: classes
      .filter((some) => some.length > 0)
      .map((some) => ({ share: some.length / exchanges.length, ...shapeOf(some) })),
    n: sorted.length,
  }
}

/** Conversations of all hosts an hour, at that time. */
export const rateAt = ({ hourly, weekly }: Pick<Pattern, 'hourly' | 'weekly'>, at: number): number =>
  (weekly?.[hourOfWeek(at)] ?? hourly[new Date(at).getUTCHours()]) as number

/** How many exchanges are told by their place: those after which nearly every conversation goes on. */
function openingOf(all: readonly Conversation[]): number {
  const goOn = (count: number) => all.filter(({ exchanges }) => exchanges.length > count).length
  let count = 0
  while (count < mostOpening && goOn(count + 1) >= nearlyAll * all.length) count++
  return count
}

const shapeOf = (some: readonly Exchange[]): Shape => ({
  request: quantilesOf(some.map(({ request }) => request)),
  response: quantilesOf(some.map(({ response }) => response)),
  pauseMs: quantilesOf(some.map(({ pauseMs }) => pauseMs)),
})

/** Conversations of each hour over the hours that were watched; an hour that was not watched has the mean of the others. */
function hourlyOf(sorted: readonly Conversation[], spans: readonly Span[]): number[] {
  const [counts, watched] = [new Array<number>(24).fill(0), new Array<number>(24).fill(0)]
  for (const { from, to } of spans)
    for (let start = from; start < to; ) {
      const end = Math.min(to, (Math.floor(start / hourMs) + 1) * hourMs)
      const hour = new Date(start).getUTCHours()
      watched[hour] = (watched[hour] as number) + (end - start) / hourMs
      start = end
    }
  for (const { at } of sorted) {
    const hour = new Date(at).getUTCHours()
    counts[hour] = (counts[hour] as number) + 1
  }
  const mean = sorted.length / Math.max(1e-9, sum(watched))
  return counts.map((count, hour) => ((watched[hour] as number) > 0 ? count / (watched[hour] as number) : mean))
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
