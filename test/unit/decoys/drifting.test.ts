import t, { type Test } from 'tap'
import type { CurrentDecoy } from '../../../agent/decoys/current.ts'
import { driftsInNetwork, makeDrifting } from '../../../agent/decoys/drifting.ts'
import { systemClock } from '../../../shared/clock.ts'
import { silentLog } from '../../../shared/log.ts'
import type { DesiredDecoy } from '../../../shared/schemas/desired-state.ts'
import type { DriftEffect } from '../../../shared/schemas/drift.ts'
import { decoyEvent } from '../../../shared/schemas/event.ts'
import { decoyOf } from './desired.ts'

const wait: DriftEffect = { type: 'latency', form: 'fixed', ms: 50, spread: 0 }
const onlyCowries: DriftEffect[] = [
  { type: 'error', kind: 'disk', share: 0.1 },
  { type: 'alteration', what: 'listing', share: 0.1 },
]

const drifting = (
  effects: DriftEffect[],
  services: DesiredDecoy['services'] = ['cowrie', 'services'],
): DesiredDecoy => ({
  ...decoyOf(20),
  services,
  drift: { everyone: effects.length > 0 ? { seed: 's', effects } : null, views: [] },
})

/** The room on an engine whose attached commands only say what the test says. */
function makePlace() {
  const begun: { pod: string; line: (text: string) => void; over: boolean }[] = []
  const notices: string[] = []
  const told: unknown[] = []
  const room = makeDrifting({
    engine: {
      attach: async (pod, argv, { onLine }) => {
        const { promise, resolve } = Promise.withResolvers<{ exitCode: number }>()
        const one = { pod: `${pod} ${argv.join(' ')}`, line: onLine, over: false }
        begun.push(one)
        const end = () => {
          one.over = true
          resolve({ exitCode: 0 })
        }
        return { say: () => undefined, ended: promise, end }
      },
    },
    clock: systemClock,
    log: silentLog,
    notify: (level, code, message) => notices.push(`${level} ${code} ${message}`),
    report: async (stream, records) => void told.push(...records.map((record) => ({ stream, ...record }))),
  })
  const on = (pod: string, startedAt: string): CurrentDecoy => ({
    services: {},
    wanted: ['cowrie'],
    pod: { id: pod, name: pod, image: 'pod', running: true, startedAt, labels: {} },
  })
  return { room, begun, notices, told, on }
}

t.test('only drift that packets can bear, for services besides Cowrie, needs the process', async (t: Test) => {
  t.equal(driftsInNetwork(drifting([wait])), true)
  t.equal(driftsInNetwork(drifting([wait], ['cowrie'])), false)
  t.equal(driftsInNetwork(drifting(onlyCowries, ['web'])), false)
  t.equal(driftsInNetwork(drifting([])), false)
  t.equal(driftsInNetwork({ services: ['web'] }), false)
  const view = { source: '198.18.0.9', drift: { seed: 's', effects: [wait] } }
  t.equal(driftsInNetwork({ services: ['web'], drift: { everyone: null, views: [view] } }), true)
})

t.test('one process for each run of a pod, as long as the plan has such drift', async (t: Test) => {
  const { room, begun, on } = makePlace()
  const decoy = drifting([wait])
  const follow = (one: DesiredDecoy, seen: CurrentDecoy) => room.follow({ decoys: [one], revision: 7 }, () => seen)
  follow(decoy, { services: {}, wanted: [] })
  t.same(begun, [], 'there is no pod yet')
  follow(decoy, on('p1', '2026-01-01T00:00:00Z'))
  follow(decoy, on('p1', '2026-01-01T00:00:00Z'))
  t.match(begun, [{ pod: 'p1 marshlight-pod drift', over: false }])
  t.equal(begun.length, 1)
  // The pod was started again: what ran in it is gone.
  follow(decoy, on('p1', '2026-01-01T01:00:00Z'))
  t.equal(begun.length, 2)
  follow(drifting([]), on('p1', '2026-01-01T01:00:00Z'))
  await room.stop()
  t.same(
    begun.map(({ over }) => over),
    [true, true],
  )
})

t.test('what is not applied is a notice, what only Cowrie takes is told once', async (t: Test) => {
  const { room, begun, notices, on } = makePlace()
  room.follow({ decoys: [drifting([wait, ...onlyCowries])], revision: 7 }, () => on('p1', '2026-01-01T00:00:00Z'))
  t.equal(begun.length, 1)
  const line = (text: string) => begun[0]?.line(text)
  line('{"ok":true,"mark":"0123456789abcdef","leftOut":["error disk"]}')
  line('{"ok":true,"mark":"0123456789abcde0","leftOut":["error disk"]}')
  line('nonsense')
  line('{"ok":false,"mark":"none","error":"nft: no such thing"}')
  t.match(notices, [/^info DRIFT_LEFT_OUT .*error disk$/, /^warning DRIFT_NOT_APPLIED .*no such thing$/])
  t.equal(notices.length, 2)
  await room.stop()
})

t.test('what a source felt goes into the spool as an event of that decoy, and nothing else does', async (t: Test) => {
  const { room, begun, told, on } = makePlace()
  const decoy = drifting([wait])
  room.follow({ decoys: [decoy], revision: 7 }, () => on('p1', '2026-01-01T00:00:00Z'))
  room.follow({ decoys: [{ ...decoy, personaVersion: 4 }], revision: 8 }, () => on('p1', '2026-01-01T00:00:00Z'))
  const row = { source: '198.18.0.9', port: 40000, type: 'error', what: 'reset', count: 2, ms: 0 }
  const line = (felt: unknown) => begun[0]?.line(JSON.stringify({ felt, mark: '0123456789abcdef' }))
  line([row])
  line([{ ...row, source: 'elsewhere' }])
  line([{ ...row, type: 'odd' }])
  t.match(told, [
    {
      ...{ stream: 'events', type: 'event', decoy: decoy.id, personaVersion: 4, revision: 8, kind: 'other' },
      ...{ source: 'marshlight.drift', src: { ip: '198.18.0.9', port: 40000 } },
      data: { type: 'error', what: 'reset', count: 2, ms: 0, mark: '0123456789abcdef' },
    },
  ])
  t.equal(told.length, 1)
  t.ok(decoyEvent.safeParse((({ stream: _, ...event }) => event)(told[0] as { stream: string })).success)
  await room.stop()
})
