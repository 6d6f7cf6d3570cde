import t from 'tap'
import { numberOf } from '../../../agent/capture/decode.ts'
import { makeDecoyCapture } from '../../../agent/capture/decoy-capture.ts'
import type { DumpCounts } from '../../../agent/capture/dump-counts.ts'
import { makeMet } from '../../../agent/capture/met.ts'
import { type Mimics, mimicsOf } from '../../../agent/capture/mimics.ts'
import { driftMark, markMet } from '../../../shared/drift-mark.ts'
import { makeLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import { type FeatureWindow, featureWindow } from '../../../shared/schemas/observation.ts'
import { ack, captureHead, capturePacket, syn, synAck, tcpFrame, udpFrame } from './frames.ts'

import { decoy, id, minute, of, start, visit, waiting, windowsOf } from './window-world.ts'

t.test('what mimicry does has windows of its own, an instance each', async (t) => {
  let mimics: Mimics | undefined = mimicsOf({
    instantiations: 2,
    targets: [
      { role: 'resolver', ip: '198.18.90.2', port: 53, proto: 'udp', names: [] },
      { role: 'peer', ip: '198.18.90.4', port: 21_500, proto: 'tcp', names: [] },
    ],
  })
  const windows = windowsOf('none', { mimics: () => mimics })
  const question = '\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04time\x04corp\x03lan\x00\x00\x01\x00\x01'
  windows.add(udpFrame(decoy, 5001, '198.18.90.2', 53, question), start)
  windows.add(udpFrame('198.18.90.2', 53, decoy, 5001, 'answer'), start + 7)
  for (const [far, own] of [
    [21_500, 33_000],
    [22, 33_002],
  ] as const) {
    windows.add(tcpFrame({ from: decoy, fromPort: own, to: '198.18.90.4', toPort: far, flags: syn }), start + 30)
    windows.add(
      tcpFrame({ from: '198.18.90.4', fromPort: far, to: decoy, toPort: own, flags: synAck }),
      start + 30 + own / 11_000,
    )
  }
  // A peer asks this decoy the same way: that is the peer's.
  windows.add(tcpFrame({ from: '198.18.90.4', fromPort: 40_000, to: decoy, toPort: 21_600, flags: syn }), start + 50)
  const told = windows.take(start + minute, 0)
  for (const one of told) featureWindow.parse(one)
  const mimicry = (instance: number) =>
    told.filter(({ subject }) => subject.kind === 'mimicry' && subject.instance === instance)
  t.match(mimicry(0), [
    { service: 'mimicry', profile: { 'connect.delay': { n: 1, values: [3] }, 'request.rate': { count: 0 } } },
  ])
  t.match(mimicry(1), [{ profile: { 'response.delay': { values: [7] }, 'name.kind': { counts: { 'A plain': 1 } } } }])
  t.match(
    of(told, undefined),
    [{ profile: { 'session.rate': { count: 1 }, 'connect.delay': { n: 1 } } }],
    'else its own',
  )
  mimics = undefined
  windows.take(start + 2 * minute, 0)
  const hours = windows.take(start + 120 * minute, 0, true)
  t.ok(
    hours.length > 0 && hours.every(({ subject }) => subject.kind === 'decoy'),
    'switched off, nothing is told of it',
  )
})

t.test('windows cut where drift changes and where the pod ends; missed packets are those of that time', async (t) => {
  let now = start
  let counted: DumpCounts | undefined = { captured: 1, received: 1, dropped: 0, final: false }
  const dropped = (count: number) => {
    counted = { captured: 1, received: 1 + count, dropped: count, final: false }
  }
  let give: (bytes: Buffer) => void = () => {}
  const over = Promise.withResolvers<string>()
  const told: FeatureWindow[] = []
  const ring = { begin: () => {}, write: () => true, settled: async () => {}, stop: async () => {} }
  const capture = makeDecoyCapture({
    decoy: id,
    address: numberOf(decoy),
    ports: new Map([[80, 'http']]),
    ring: ring as never,
    random: seededRandom('cut'),
    pseudonym: String,
    clock: { now: () => now, sleep: async () => {} },
    log: makeLog('test', 'silent'),
    drift: undefined,
    startDump: async (_pid, _ip, onBytes) => {
      give = onBytes
      const counts = async () => counted
      return { pid: 1, counts, pause() {}, resume() {}, ended: over.promise, stop: async () => over.resolve('stopped') }
    },
    onWindows: (some) => told.push(...some),
    onEnd: () => {},
  })
  await capture.follow({ decoy: id, pid: 1, run: 'one' })
  give(captureHead())
  const packet = () =>
    give(capturePacket(now, tcpFrame({ from: '198.18.90.9', fromPort: 1, to: decoy, toPort: 80, flags: syn })))
  const marks = (some: readonly FeatureWindow[]) =>
    of(some, 80).map(({ drift, seconds, missed }) => [drift, seconds, missed])
  packet()
  now += 10_000
  dropped(3)
  t.strictSame(marks(await capture.drifted(waiting(10))), [['none', 10, 3]])
  packet()
  now += 5000
  t.strictSame(marks(await capture.tick()), [[undefined, 5, 0]], 'of neither')
  packet()
  now += 15_000
  dropped(4)
  t.strictSame(marks(await capture.tick()), [[driftMark(waiting(10)), 15, 1]])
  packet()
  now += 1000
  counted = undefined
  t.strictSame(await capture.tick(), [], 'while nobody says what was missed, the window goes on')
  now += 1000
  t.strictSame(
    marks(await capture.drifted(waiting(20, [{ source: '198.18.90.8', drift: null }]))),
    [[undefined, 2, 0]],
    'or says nothing of its drift',
  )
  now += 1000
  dropped(6)
  t.strictSame(marks(await capture.tick()), [[undefined, 1, 2]], 'it is told once it is known')
  packet()
  now += 1000
  // Two that waited in the kernel when it ended.
  counted = { captured: 5, received: 13, dropped: 6, final: true }
  await capture.stop()
  t.strictSame(marks(told), [[driftMark(waiting(20)), 1, 2]])
})

t.test('a conversation goes on over the windows that it is silent in', async (t) => {
  const windows = windowsOf()
  const told: FeatureWindow[] = []
  let windowEnd = start + minute
  /** A packet at a time, after the windows that ended before it. */
  const add = (at: number, frame: Buffer) => {
    for (; windowEnd <= start + at; windowEnd += minute) told.push(...windows.take(windowEnd, 0))
    windows.add(frame, start + at)
  }
  const [there, back] = [
    { from: '198.18.90.9', fromPort: 40_000, to: decoy, toPort: 22 },
    { from: decoy, fromPort: 22, to: '198.18.90.9', toPort: 40_000 },
  ]
  add(0, tcpFrame({ ...there, flags: syn, seq: 99 }))
  add(1, tcpFrame({ ...back, flags: synAck, seq: 499 }))
  add(2, tcpFrame({ ...there, flags: ack, seq: 100 }))
  // A line every 90 s, answered at once but for the last, whose command takes two minutes.
  for (const [i, takes] of [10, 10, 120_000].entries()) {
    add(1000 + i * 90_000, tcpFrame({ ...there, seq: 100 + 10 * i, data: 'one line..' }))
    add(1000 + i * 90_000 + takes, tcpFrame({ ...back, seq: 500 + 7 * i, data: 'printed' }))
  }
  // Datagrams: each from a port of its own but the last.
  for (const [at, port] of [
    [400_000, 6000],
    [401_000, 6001],
    [471_000, 6001],
  ] as const) {
    add(at, udpFrame('198.18.90.9', port, decoy, 161, 'get'))
    add(at + 4, udpFrame(decoy, 161, '198.18.90.9', port, 'value'))
  }
  add(600_000, udpFrame('198.18.90.9', 6003, decoy, 161, 'get'))
  const all = (port: number, name: 'interarrival' | 'response.delay' | 'response.size') =>
    of(told, port).flatMap(({ profile }) => (profile[name]?.form === 'sample' ? profile[name].values : []))
  t.strictSame(all(22, 'interarrival'), [998, 89_990, 89_990])
  t.strictSame(all(22, 'response.delay'), [10, 10, 120_000])
  t.strictSame(all(22, 'response.size'), [7, 7, 7])
  const partners = of(told, 22).flatMap(({ profile: { 'partner.kind': one } }) =>
    one?.form === 'mix' ? Object.values(one.counts) : [],
  )
  t.strictSame(partners, [1], 'one partner, in one conversation')
  t.strictSame(all(161, 'interarrival'), [69_996], 'with a first datagram nothing is waited for')
  t.strictSame(all(161, 'response.size'), [5, 5, 5])
})

t.test('who meets another drift than everyone has windows apart, and counts among those who came', async (t) => {
  const met = makeMet(undefined)
  const windows = windowsOf('none', { groupOf: met.groupOf })
  const [own, other] = [waiting(50).everyone, waiting(90).everyone]
  let port = 40_000
  const take = (minutes: number) => {
    for (const [i, host] of [7, 8, 9].entries())
      visit(windows, start + (minutes - 1) * minute + 1000 * i, `198.18.90.${host}`, port++, 10 * host)
    const told = windows.take(start + minutes * minute, 0)
    met.tick(start + minutes * minute)
    for (const one of told) featureWindow.parse(one)
    return of(told, 80).map(({ drift, apart, profile: { 'response.delay': delays, 'session.rate': came } }) => [
      ...(apart ? ['apart'] : [came?.form === 'rate' && came.count]),
      drift,
      ...(delays?.form === 'sample' ? delays.values : []),
    ])
  }
  t.strictSame(take(1), [[3, 'none', 70, 80, 90]])
  const views = [
    { source: '198.18.90.8', drift: own },
    { source: '198.18.90.9', drift: other },
  ]
  t.notOk(met.put({ everyone: null, views }, start + minute), 'everyone’s windows go on')
  t.strictSame(take(2), [[3, 'none', 70]], 'until they feel it, what they do is nobody’s')
  const apart = [
    ['apart', markMet(own), 80],
    ['apart', markMet(other), 90],
  ]
  t.strictSame(take(3), [[3, 'none', 70], ...apart])
  t.ok(met.put({ everyone: other, views }, start + 3 * minute))
  windows.mark(met.mark())
  t.strictSame(take(4), [[3, markMet(other), 70, 90], apart[0]], 'who meets what all do is one of them')
  met.put({ everyone: other, views: [{ source: '198.18.90.9', drift: null }] }, start + 4 * minute - 1000)
  t.strictSame(take(5), [[3, markMet(other), 70]])
  t.strictSame(take(6), [
    [3, markMet(other), 70, 80],
    ['apart', 'none', 90],
  ])
})
