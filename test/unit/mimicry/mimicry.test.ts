import t from 'tap'
import type { Conversation } from '../../../agent/mimicry/conversation.ts'
import { type GenerateOptions, generate } from '../../../agent/mimicry/generate.ts'
import { extractPatterns, patternsOf } from '../../../agent/mimicry/patterns.ts'
import { type Random, seededRandom } from '../../../shared/random.ts'
import { normal } from '../../../shared/statistics/draws.ts'
import { kolmogorovSmirnov, wasserstein } from '../../../shared/statistics/index.ts'

const hour = 3_600_000
const from = Date.parse('2026-03-02T00:00:00Z')
const to = from + 24 * hour
const options: GenerateOptions = {
  seed: 's',
  level: 'high',
  instantiations: 1,
  parameterVariation: 0,
  mostAnHour: 1000,
}

/** A day of a segment that is busy from 8 to 18: web in bursts, names now and then. */
function sampleDay(random: Random): Conversation[] {
  const all: Conversation[] = []
  const lognormal = (median: number, spread: number) => median * Math.exp(spread * normal(random))
  for (let at = from; at < to; at += lognormal(60_000, 0.8)) {
    const h = new Date(at).getUTCHours()
    if (random() > (h >= 8 && h < 18 ? 1 : 0.15)) continue
    const burst = 1 + Math.floor(random() * 4)
    for (let i = 0, when = at; i < burst; i++, when += lognormal(2000, 0.7)) {
      const exchanges = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
        const large = random() < 0.25
        return {
          request: lognormal(large ? 3000 : 400, 0.2),
          response: lognormal(large ? 60_000 : 2000, 0.5),
          pauseMs: lognormal(80, 0.6),
        }
      })
      all.push({ at: when, kind: 'https', exchanges })
    }
    if (random() < 0.4)
      all.push({
        at,
        kind: 'dns',
        exchanges: [{ request: 40 + Math.floor(random() * 20), response: lognormal(120, 0.3), pauseMs: 0 }],
      })
  }
  return all
}

const [real, other] = [sampleDay(seededRandom('one')), sampleDay(seededRandom('two'))]
const patterns = extractPatterns(real, from, to)
const ofKind = (all: Conversation[], kind: string) => all.filter((one) => one.kind === kind)
const numbers = {
  request: (all: Conversation[]) => all.flatMap(({ exchanges }) => exchanges.map(({ request }) => request)),
  response: (all: Conversation[]) => all.flatMap(({ exchanges }) => exchanges.map(({ response }) => response)),
  pause: (all: Conversation[]) => all.flatMap(({ exchanges }) => exchanges.map(({ pauseMs }) => pauseMs)),
  exchanges: (all: Conversation[]) => all.map(({ exchanges }) => exchanges.length),
  hour: (all: Conversation[]) => all.map(({ at }) => new Date(at).getUTCHours()),
}

t.test('what is generated is about as close to the sample as another day is', async (t) => {
  const [made = []] = generate(patterns, options, from, to)
  for (const kind of ['https', 'dns'])
    for (const [name, of] of Object.entries(numbers)) {
      const [a, b, c] = [real, other, made].map((all) => of(ofKind(all, kind))) as [number[], number[], number[]]
      const [days, own] = [kolmogorovSmirnov(a, b).d, kolmogorovSmirnov(a, c).d]
      t.ok(own <= Math.max(2 * days, 0.08), `${kind} ${name}: ${own.toFixed(3)}, two days ${days.toFixed(3)}`)
    }
  const rate = made.length / real.length
  t.ok(rate > 0.8 && rate < 1.25, `${made.length} conversations, ${real.length} in the sample`)
  t.ok(wasserstein(numbers.response(real), numbers.response(made)) < 3000)
  const shape = ({ exchanges }: Conversation) =>
    exchanges.map(({ request, response }) => `${Math.round(request)}/${Math.round(response)}`).join()
  const seen = new Set(real.map(shape))
  const again = ofKind(made, 'https').filter((one) => seen.has(shape(one))).length
  t.ok(again < made.length / 100, `${again} conversations are one of the sample's`)
})

t.test('level, instances and bounds hold, and the seed gives the same again', async (t) => {
  const many = { ...options, instantiations: 4, parameterVariation: 0.2, level: 'medium' } as const
  const made = generate(patterns, many, from, to)
  const text = (one: Conversation[][]) => JSON.stringify(one)
  t.ok(text(generate(patterns, many, from, to)) === text(made))
  t.ok(text(generate(patterns, { ...many, seed: 'other' }, from, to)) !== text(made))
  const all = made.flat().length / real.length
  t.ok(all > 0.3 && all < 0.5, `medium is ${all.toFixed(2)} of the sample`)
  const medians = made.map(
    (one) => numbers.request(one).sort((a, b) => a - b)[Math.floor(numbers.request(one).length / 2)],
  )
  t.equal(new Set(medians).size, 4, 'each instance has parameters of its own')
  const [bounded = []] = generate(patterns, { ...options, mostAnHour: 5 }, from, to)
  const hours = Map.groupBy(ofKind(bounded, 'https'), ({ at }) => Math.floor(at / hour))
  t.ok([...hours.values()].every(({ length }) => length <= 5))
  t.strictSame(generate([], options, from, to), [[]])
})

t.test('what lies between two times of watching is no gap, and what opens a conversation has its place', async (t) => {
  const exchanges = [41, 1560, 44, 52].map((request) => ({ request, response: 2 * request, pauseMs: 1 }))
  const spans = [0, 100_000].map((start) => ({ from: from + start, to: from + start + 30_000 }))
  const seconds = Array.from({ length: 30 }, (_, i) => i * 1000)
  const sample = spans.flatMap((span) => seconds.map((at) => ({ at: span.from + at, kind: 'ssh', exchanges })))
  const [pattern] = patternsOf(sample, spans)
  t.same([Math.max(...(pattern?.gapMs ?? [])), pattern?.burst], [1000, 1])
  t.strictSame(
    pattern?.opening?.map(({ request }) => [...new Set(request)]),
    [[41], [1560], [44]],
  )
  const [made = []] = generate([pattern as NonNullable<typeof pattern>], options, from, from + 3_600_000)
  t.ok(made.length > 100)
  const opens = made.map(({ exchanges }) =>
    exchanges
      .slice(0, 3)
      .map(({ request }) => request)
      .join(),
  )
  t.strictSame([...new Set(opens)], ['41,1560,44'])
})
