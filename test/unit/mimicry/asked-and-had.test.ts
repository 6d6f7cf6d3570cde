import t from 'tap'
import { mimicOne } from '../../../agent/mimicry/one-decoy.ts'
import type { Asked } from '../../../agent/mimicry/slice.ts'
import { silentLog } from '../../../shared/log.ts'
import { type MimicryTarget, mimicryPlan, type TrafficPattern } from '../../../shared/schemas/mimicry.ts'
import { makeHandClock } from '../sessions/hand-clock.ts'

const minute = 60_000
const steps = (low: number, high: number) => Array.from({ length: 32 }, (_, i) => low + ((high - low) * i) / 31)
const shapeOf = (kind: string, low: number, high: number): TrafficPattern => ({
  kind,
  hourly: new Array(24).fill(900),
  burst: 0,
  gapMs: [],
  exchanges: [2, 3, 4],
  opening: [{ request: steps(200, 1800), response: steps(1000, 5000), pauseMs: steps(0.1, 2) }],
  classes: [{ share: 1, request: steps(low, high), response: steps(low, 9000), pauseMs: steps(0.1, 90) }],
  n: 500,
})
const patterns = [shapeOf('dns', 28, 70), shapeOf('http', 150, 400), shapeOf('https', 60, 2000)]
const place = { ip: '198.18.1.3', names: [] }
const targets: MimicryTarget[] = [
  { role: 'resolver', ...place, port: 53, proto: 'udp' },
  { role: 'updates', ...place, port: 80, proto: 'tcp' },
  { role: 'peer', ...place, port: 21_000, proto: 'tcp' },
]
type Had = (one: Asked, connectMs: number) => [number, number, number][]

/** Twenty minutes of a decoy whose pod has what it is asked as `had` says, over a way of so many milliseconds. */
function scoresOf(had: Had, connectMs = 0.2) {
  const clock = makeHandClock()
  const plan = mimicryPlan.parse({
    ...{ seed: 'asked', mimicryLevel: 'high', instantiations: 1, parameterVariation: 0.1, driftThreshold: 30 },
    ...{ mostAnHour: 3600, mostBytesAnHour: 1e9, patterns: [], targets },
  })
  const asked: Asked[] = []
  let [started, line] = [() => {}, (_: string) => {}]
  const one = mimicOne({
    ...{ decoy: 'd', plan, agent: 'apt', patterns: () => patterns, clock, log: silentLog, sliceMs: 10 * minute },
    keep: (onLine, onStarted) => {
      started = onStarted
      line = onLine
      const say = (said: string) => void asked.push(...((JSON.parse(said).slice ?? []) as Asked[]))
      return { running: () => true, say, stop: async () => undefined }
    },
  })
  started()
  clock.advance(20 * minute)
  for (const one of asked) {
    const { id, at, instance, kind, target } = one
    const head = { type: 'done', id, instance, kind, role: target.role, ip: target.ip, port: target.port }
    line(JSON.stringify({ ...head, at, exchanges: had(one, connectMs), bytes: 100, connectMs }))
  }
  const [report] = one.reports(10 * minute)
  t.ok((report?.done ?? 0) > 100, `${report?.done} conversations`)
  return report
}

/**
 * As the pod's program has them: a handshake in place of the first between peers and sizes that TLS can have, and of real
 * places what their names and files come to; no pause before there is a connection.
 */
const asPossible: Had = ({ target, exchanges }, connectMs) => {
  if (target.role === 'resolver') return exchanges.map(([, , pause]) => [31, 47, pause + 0.3])
  if (target.role === 'updates')
    return exchanges.map(([, , pause], i) => [190, 9200, i === 0 ? Math.max(pause, connectMs) : pause])
  const rest = exchanges.length > 1 ? exchanges.slice(1) : exchanges
  return [
    [517, 1400, 1],
    ...rest.map(([request, response, pause]): [number, number, number] => [
      Math.max(105, request),
      Math.max(25, response),
      pause + 1,
    ]),
  ]
}

t.test('an instance that does what it was asked has no score, whatever the segment is like', async (t) => {
  t.match(scoresOf(asPossible), { score: 0, moved: undefined, redrawn: false })
  t.match(scoresOf(asPossible, 60), { score: 0, moved: undefined, redrawn: false }, 'over a longer way too')
})

t.test('one that does something else has, with what moved, and draws new parameters', async (t) => {
  const late: Had = (one, way) =>
    asPossible(one, way).map(([a, b, pause]) => [a, b, one.target.role === 'resolver' ? 3 * pause + 200 : pause])
  t.match(scoresOf(late), { moved: { kind: 'dns', of: 'pause' }, redrawn: true })
  const large: Had = (one, way) =>
    asPossible(one, way).map(([a, b, pause]) => [a, one.target.role === 'peer' ? 4 * b : b, pause])
  t.match(scoresOf(large), { moved: { kind: 'https', of: 'response' }, redrawn: true })
})
