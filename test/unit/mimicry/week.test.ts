import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Conversation } from '../../../agent/mimicry/conversation.ts'
import { patternsOf } from '../../../agent/mimicry/patterns.ts'
import { makeSeenPatterns } from '../../../agent/mimicry/seen.ts'
import { sliceOf } from '../../../agent/mimicry/slice.ts'
import { silentLog } from '../../../shared/log.ts'
import { mimicryPlan, trafficPattern } from '../../../shared/schemas/mimicry.ts'

const hour = 3_600_000
const day = 24 * hour
/** A Monday. */
const from = Date.parse('2026-03-02T00:00:00Z')
const cidr = '198.18.7.0/24'
const hosts = 50

/** What all hosts of the segment look up in an hour: much by day, little at night, next to nothing on Sundays. */
const rate = (at: number) => {
  const date = new Date(at)
  const byDay = date.getUTCHours() >= 8 && date.getUTCHours() < 18 ? 2000 : 200
  return date.getUTCDay() === 0 ? byDay / 20 : byDay
}

/** Watches from one time to another, in hours. */
async function watched(t: Test, spans: [number, number][]) {
  const folder = await mkdtemp(join(tmpdir(), 'mimicry-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  let now = from
  const clock = { now: () => now, sleep: async () => undefined }
  const seen = makeSeenPatterns({ folder, clock, log: silentLog, report: async () => undefined })
  for (const [begin, end] of spans)
    for (let at = begin; at < end; at += hour) {
      const count = rate(at)
      const lookups = Array.from({ length: count }, (_, i) => ({
        at: at + (i * hour) / count,
        kind: 'dns',
        by: i % hosts,
        exchanges: [{ request: 40, response: 90, pauseMs: 1 }],
      }))
      now = at + hour
      await seen.add(cidr, lookups, { from: at, to: now, hosts: rate(at) < 150 ? 5 : hosts })
    }
  const [pattern] = seen.of(cidr)
  return trafficPattern.parse(pattern)
}

const plan = mimicryPlan.parse({
  ...{ seed: 's', mimicryLevel: 'high', instantiations: 2, parameterVariation: 0, driftThreshold: 30 },
  ...{ mostAnHour: 3600, mostBytesAnHour: 1e9, patterns: [] },
  targets: [{ role: 'resolver', ip: '198.18.7.3', port: 53, proto: 'udp', names: ['deb.example'] }],
})

t.test('a busy kind keeps the hours of all of the week, and a decoy does what one host does', async (t) => {
  const pattern = await watched(t, [[from, from + 8 * day]])
  t.equal(pattern.hosts, hosts, 'also after a Sunday')
  const made = (first: number, hours: number) =>
    sliceOf({ plan, patterns: [pattern], draws: [0, 0], measured: new Map() }, first, first + hours * hour).asked.length
  const next = from + 14 * day
  for (const [name, first, hours] of [
    ['by day', next + 8 * hour, 10],
    ['at night', next + 18 * hour, 14],
    ['on Sunday', next + 6 * day, 24],
  ] as const) {
    const expected = Array.from({ length: hours }, (_, i) => rate(first + i * hour) / hosts).reduce((a, b) => a + b)
    const count = made(first, hours)
    // Four standard deviations of a Poisson number.
    t.ok(Math.abs(count - expected) < 4 * Math.sqrt(expected), `${name}: ${count}, one host ${expected}`)
  }
})

t.test('half an hour says nothing of the hours that were not watched; one day nothing of another', async (t) => {
  const two = await watched(t, [[from + 9 * hour, from + 11 * hour]])
  t.strictSame(new Set(two.hourly), new Set([2000]), 'nothing else is known')
  const monday = await watched(t, [[from, from + day]])
  const [own, other] = [2, 26].map((slot) => monday.weekly?.[slot] as number) as [number, number]
  t.ok(Math.abs(own - 200) < 1 && Math.abs(other - 200) < 1, 'Tuesday night is as Monday night until it was watched')
})

t.test('pauses between conversations are those of each host, not of all together', async (t) => {
  const one = (at: number, by: number): Conversation => ({
    at: from + at,
    kind: 'dns',
    by,
    exchanges: [{ request: 40, response: 90, pauseMs: 1 }],
  })
  const sample = Array.from({ length: 40 }, (_, i) => [one(i * 20_000, 1), one(i * 20_000 + 5000, 2)]).flat()
  const [pattern] = patternsOf(sample, [{ from, to: from + hour }])
  t.strictSame(new Set(pattern?.gapMs), new Set([20_000]))
})
