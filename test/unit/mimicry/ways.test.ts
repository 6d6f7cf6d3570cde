import t from 'tap'
import { mimicOne } from '../../../agent/mimicry/one-decoy.ts'
import type { Asked } from '../../../agent/mimicry/slice.ts'
import { silentLog } from '../../../shared/log.ts'
import { mimicryPlan, type TrafficPattern } from '../../../shared/schemas/mimicry.ts'
import { makeHandClock } from '../sessions/hand-clock.ts'

const minute = 60_000
const pattern: TrafficPattern = {
  kind: 'http',
  hourly: new Array(24).fill(900),
  burst: 0,
  gapMs: [],
  exchanges: [2],
  classes: [{ share: 1, request: [180], response: [400_000, 900_000], pauseMs: [5] }],
  n: 500,
}
const [slow, fast] = ['198.18.1.3', '198.18.1.4']

t.test('of a place with little bandwidth, as the pod measured it, no more is asked than comes in time', async (t) => {
  const clock = makeHandClock()
  const plan = mimicryPlan.parse({
    ...{ seed: 'ways', mimicryLevel: 'high', instantiations: 1, parameterVariation: 0, driftThreshold: 30 },
    ...{ mostAnHour: 3600, mostBytesAnHour: 1e9, patterns: [] },
    targets: [slow, fast].map((ip) => ({ role: 'updates', ip, port: 80, proto: 'tcp', names: ['deb.example'] })),
  })
  let slice: Asked[] = []
  let [started, line] = [() => {}, (_: string) => {}]
  const one = mimicOne({
    ...{ decoy: 'd', plan, agent: 'apt', patterns: () => [pattern], clock, log: silentLog, sliceMs: 10 * minute },
    keep: (onLine, onStarted) => {
      started = onStarted
      line = onLine
      const say = (said: string) => {
        slice = JSON.parse(said).slice ?? []
      }
      return { running: () => true, say, stop: async () => undefined }
    },
  })
  const largest = (ip: string) =>
    Math.max(
      ...slice.filter(({ target }) => target.ip === ip).flatMap((one) => one.exchanges.map(([, bytes]) => bytes)),
    )
  started()
  t.ok(largest(slow) > 400_000 && largest(fast) > 400_000, 'before anything is known')
  for (const { id, at, instance, kind, target, exchanges } of slice) {
    const head = { type: 'done', id, instance, kind, role: target.role, ip: target.ip, port: target.port }
    const moved = { movedBytes: 500_000, movedMs: target.ip === slow ? 50_000 : 20 }
    line(JSON.stringify({ ...head, at, exchanges, bytes: 800_000, connectMs: 2, ...moved }))
  }
  clock.advance(6 * minute)
  one.goOn()
  t.equal(largest(slow), 200_000, 'ten bytes a millisecond, for twenty seconds')
  t.ok(largest(fast) > 400_000)
})
