import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import type { Log } from '../../shared/log.ts'
import { isMade } from '../../shared/mimicry-kinds.ts'
import { canonicalCidr } from '../../shared/network.ts'
import type { Report } from '../spool/port.ts'
import type { Conversation } from './conversation.ts'
import { counted, hourCounts, ratesOf } from './hours.ts'
import { type Pattern, patternsOf, type Shape, type Span } from './patterns.ts'

/** Kept of a segment: conversations of each kind, kinds, exchanges of one conversation, spans of watching. */
const most = { ofKind: 1000, kinds: 24, exchanges: 48, spans: 256, days: 7 }
const dayMs = 86_400_000
const week = 7 * dayMs
/** Two spans that are so near to each other are one. */
const joinMs = 60_000

/**
 * The file of a segment is written so often, where there was nothing but silence so often, and its patterns are told; a
 * window comes each minute.
 */
const every = { writeMs: 600_000, silenceMs: 3_600_000, tellMs: 3_600_000 }

const number = z.number().min(0)
const kept = z.object({
  spans: z.array(z.object({ from: number, to: number })),
  sample: z.array(
    z.object({
      at: number,
      kind: z.string().max(32),
      by: number.optional(),
      exchanges: z.array(z.object({ request: number, response: number, pauseMs: number })),
    }),
  ),
  /** Apart from the sample, which is of the newest alone where there are many. */
  hours: hourCounts,
  /** How many hosts were heard on each day. */
  hosts: z.array(z.object({ day: z.int(), count: z.int().min(0) })),
})
type Kept = z.infer<typeof kept>

/** A time of watching, and how many hosts were heard on its day so far. */
export type Watch = Span & { hosts?: number }

export type SeenDeps = { folder: string; report: Report; clock: Clock; log: Log }

/**
 * What this agent saw of each segment's traffic: conversations of the last week, the newest of each kind, without any address;
 * and the patterns in them. What is older fades by being pushed out.
 *
 *   conversations of a minute -> add -> file of the segment, patterns -> stream `features`, and mimicry where the plan has none
 */
export function makeSeenPatterns({ folder, report, clock, log }: SeenDeps) {
  const segments = new Map<string, Kept>()
  const patterns = new Map<string, Pattern[]>()
  /** Of these nothing is kept, whatever still comes. */
  let forgotten: ReadonlySet<string> = new Set()
  /** Something was heard of them that is not in their files. */
  const unwritten = new Set<string>()
  const [written, told] = [new Map<string, number>(), new Map<string, number>()]
  const isDue = (last: number | undefined, everyMs: number) => last === undefined || clock.now() - last >= everyMs
  const fileOf = (cidr: string) => join(folder, `${cidr.replaceAll(/[^0-9]/g, '-')}.json`)

  async function open(cidr: string): Promise<Kept> {
    const known = segments.get(cidr)
    if (known) return known
    let held: Kept = { spans: [], sample: [], hours: [], hosts: [] }
    const text = await readIfThere(fileOf(cidr))
    try {
      if (text !== undefined) held = kept.parse(JSON.parse(text))
    } catch (error) {
      log.warn({ cidr, err: error }, 'what was seen of a segment cannot be read: it is set aside')
      await rename(fileOf(cidr), `${fileOf(cidr)}.bad`)
    }
    segments.set(cidr, held)
    patterns.set(cidr, patternsIn(held))
    return held
  }

  return {
    /** Reads what an earlier run saw. */
    open: async (cidr: string) => void (await open(cidr)),
    /** Conversations that were over in a time of watching; keeps them, and tells the patterns. */
    async add(cidr: string, conversations: readonly Conversation[], span: Watch): Promise<void> {
      if (forgotten.has(canonicalCidr(cidr))) return
      const next = joined(await open(cidr), conversations, span)
      segments.set(cidr, next)
      const found = patternsIn(next)
      patterns.set(cidr, found)
      if (conversations.length > 0) unwritten.add(cidr)
      if (isDue(written.get(cidr), unwritten.has(cidr) ? every.writeMs : every.silenceMs)) {
        await mkdir(folder, { recursive: true })
        await writeFileAtomic(fileOf(cidr), JSON.stringify(next), 0o600)
        written.set(cidr, clock.now())
        unwritten.delete(cidr)
      }
      if (found.length === 0 || !isDue(told.get(cidr), every.tellMs)) return
      told.set(cidr, clock.now())
      const from = new Date(next.spans[0]?.from ?? span.from).toISOString()
      await report('features', [
        { type: 'patterns', at: isoNow(clock), from, cidr, patterns: found.slice(0, 32).map(rounded) },
      ])
    },
    /** Nothing of these segments stays, until they are no more among them. */
    async forget(cidrs: readonly string[]): Promise<void> {
      forgotten = new Set(cidrs.map(canonicalCidr))
      for (const cidr of forgotten) {
        for (const held of [segments, patterns, written, told, unwritten]) held.delete(cidr)
        for (const path of [fileOf(cidr), `${fileOf(cidr)}.bad`]) await rm(path, { force: true })
      }
    },
    /** Empty where too little was seen. */
    of: (cidr: string): readonly Pattern[] => patterns.get(cidr) ?? [],
  }
}
export type SeenPatterns = ReturnType<typeof makeSeenPatterns>

function joined(held: Kept, conversations: readonly Conversation[], { from, to, hosts = 0 }: Watch): Kept {
  const span = { from, to }
  const since = to - week
  const last = held.spans.at(-1)
  const near = last !== undefined && from - last.to <= joinMs
  const spans = near ? [...held.spans.slice(0, -1), { from: last.from, to }] : [...held.spans, span]
  const cut = conversations.map((one) => ({ ...one, exchanges: one.exchanges.slice(0, most.exchanges) }))
  const kinds = [...Map.groupBy([...held.sample, ...cut], ({ kind }) => kind).values()]
    .map((all) => all.filter(({ at }) => at >= since).slice(-most.ofKind))
    .sort((a, b) => firstMade(a[0]?.kind, b[0]?.kind) || b.length - a.length)
    .slice(0, most.kinds)
  const day = Math.floor(from / dayMs)
  const ofDay = Math.max(hosts, held.hosts.find((one) => one.day === day)?.count ?? 0)
  return {
    spans: spans
      .filter((one) => one.to > since)
      .map((one) => ({ from: Math.max(one.from, since), to: one.to }))
      .slice(-most.spans),
    sample: kinds.flat(),
    hours: counted(held.hours, conversations, span, new Set(kinds.map(([one]) => one?.kind ?? ''))),
    hosts: [...held.hosts.filter((one) => one.day !== day), { day, count: ofDay }].slice(-most.days),
  }
}

/**
 * Sizes and pauses are those of the sample, rates those of all hours that were watched. Of a kind that was pushed out of the
 * sample in part, only the time since its oldest counts for gaps. On a quiet day hosts are as many as on the others.
 */
function patternsIn({ sample, spans, hours, hosts }: Kept): Pattern[] {
  const ofSegment = Math.max(1, ...hosts.map(({ count }) => count))
  return [...Map.groupBy(sample, ({ kind }) => kind).values()]
    .flatMap((all) => {
      const oldest = all.length < most.ofKind ? 0 : Math.min(...all.map(({ at }) => at))
      const own = spans.filter(({ to }) => to > oldest).map(({ from, to }) => ({ from: Math.max(from, oldest), to }))
      return patternsOf(all, own)
    })
    .map((pattern) => ({ ...pattern, ...ratesOf(hours, pattern.kind), hosts: ofSegment }))
    .sort((a, b) => firstMade(a.kind, b.kind) || b.n - a.n)
}

/** What decoys make before what they do not, where not all has room. */
const firstMade = (a = '', b = '') => Number(isMade(b)) - Number(isMade(a))

/** As precise as is of use: the stream bears many of them. */
function rounded(pattern: Pattern): Pattern {
  const short = (values: readonly number[]) => values.map((value) => Number(value.toPrecision(4)))
  const shape = ({ request, response, pauseMs }: Shape): Shape => ({
    request: short(request),
    response: short(response),
    pauseMs: short(pauseMs),
  })
  return {
    ...pattern,
    hourly: short(pattern.hourly),
    ...(pattern.weekly && { weekly: short(pattern.weekly) }),
    burst: Math.min(1, Number(pattern.burst.toPrecision(4))),
    gapMs: short(pattern.gapMs),
    exchanges: short(pattern.exchanges),
    ...(pattern.opening && { opening: pattern.opening.map(shape) }),
    classes: pattern.classes.map(({ share, ...rest }) => ({
      share: Math.min(1, Number(share.toPrecision(4))),
      ...shape(rest),
    })),
  }
}
