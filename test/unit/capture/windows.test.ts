import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeOwnLooks } from '../../../agent/audit/own-looks.ts'
import { numberOf } from '../../../agent/capture/decode.ts'
import { makeDecoyCapture } from '../../../agent/capture/decoy-capture.ts'
import { type DumpCounts, makeCountReader, missedBy } from '../../../agent/capture/dump-counts.ts'
import { makeMet } from '../../../agent/capture/met.ts'
import { type Mimics, mimicsOf } from '../../../agent/capture/mimics.ts'
import { makePseudonyms, openPseudonyms } from '../../../agent/capture/pseudonyms.ts'
import { makeWindows, type WindowsDeps } from '../../../agent/capture/windows.ts'
import { driftMark, markMet } from '../../../shared/drift-mark.ts'
import { makeLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { DecoyDrift, DriftView } from '../../../shared/schemas/drift.ts'
import { type FeatureWindow, featureWindow } from '../../../shared/schemas/observation.ts'
import { ack, captureHead, capturePacket, reset, syn, synAck, tcpFrame, udpFrame } from './frames.ts'

const decoy = '198.18.90.1'
const id = '01920000-0000-7000-8000-00000000000a'
const start = Date.parse('2026-03-02T10:00:00Z')
const minute = 60_000
const windowsOf = (drift: string | undefined = 'none', more: Partial<WindowsDeps> = {}) =>
  makeWindows({
    decoy: id,
    address: numberOf(decoy),
    broadcastAddress: numberOf('198.18.90.255'),
    ports: new Map([
      [22, 'ssh'],
      [80, 'http'],
      [161, 'snmp'],
    ]),
    random: seededRandom('windows'),
    pseudonym: makePseudonyms(Buffer.alloc(32, 3)),
    from: start,
    drift,
    ...more,
  })

/** One page asked for from `source`: the connection takes 2 ms, the answer `delay`. */
function visit(
  windows: ReturnType<typeof windowsOf>,
  at: number,
  source: string,
  port: number,
  delay: number,
  toPort = 80,
) {
  const [there, back] = [
    { from: source, fromPort: port, to: decoy, toPort },
    { from: decoy, fromPort: toPort, to: source, toPort: port },
  ]
  windows.add(tcpFrame({ ...there, flags: syn, seq: 99 }), at)
  windows.add(tcpFrame({ ...back, flags: synAck, seq: 499 }), at + 2)
  windows.add(tcpFrame({ ...there, flags: ack, seq: 100 }), at + 3)
  windows.add(tcpFrame({ ...there, seq: 100, data: 'GET /' }), at + 4)
  // The network loses it for the asker, who says it once more: the wait is one from the first time.
  windows.add(tcpFrame({ ...there, seq: 100, data: 'GET /' }), at + 4 + delay / 2)
  windows.add(tcpFrame({ ...back, seq: 500, data: 'page' }), at + 4 + delay)
}

/** A drift of everyone's, and views beside it. */
const waiting = (ms: number, views: DriftView[] = []): DecoyDrift => ({
  everyone: { seed: 's', effects: [{ type: 'latency', form: 'fixed', ms, spread: 0 }] },
  views,
})

const of = (told: readonly FeatureWindow[], port: number | undefined) =>
  told.filter(({ subject }) => subject.kind === 'decoy' && subject.port === port)

t.test('a window of a service has what was done at its port, and no more', async (t) => {
  const windows = windowsOf()
  visit(windows, start + 1000, '198.18.90.9', 40_000, 30)
  visit(windows, start + 2000, '198.18.90.9', 40_001, 50)
  // A closed port, and a reset of it: nobody's.
  windows.add(tcpFrame({ from: '198.18.90.9', fromPort: 5, to: decoy, toPort: 81, flags: syn }), start + 2500)
  windows.add(tcpFrame({ from: decoy, fromPort: 81, to: '198.18.90.9', toPort: 5, flags: reset }), start + 2501)
  const told = windows.take(start + minute, 0)
  for (const one of told) featureWindow.parse(one)
  const [web] = of(told, 80)
  t.match(web, { seconds: 60, service: 'http', drift: 'none', missed: 0, at: '2026-03-02T10:01:00.000Z' })
  t.strictSame(web?.profile['response.delay'], { form: 'sample', unit: 'ms', n: 2, values: [30, 50] })
  t.match(web?.profile['connect.delay'], { n: 2, values: [2, 2] })
  t.match(web?.profile['path.delay'], { n: 2, values: [1, 1] })
  t.match(web?.profile['repeat.share'], { part: 2, of: 6 })
  t.match(web?.profile['session.rate'], { count: 1, seconds: 60 })
  t.match(web?.profile['flag.kind'], { counts: { '>S': 2, '<SA': 2, '>A': 2, '>PA': 2, '<PA': 2 } })
  t.match(of(told, 22), [], 'nothing happened there yet: it waits')
  t.match(of(told, undefined), [])
})

t.test('what a decoy does by itself is its own window, answers and all', async (t) => {
  const windows = windowsOf()
  const question = '\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04time\x04corp\x03lan\x00\x00\x01\x00\x01'
  windows.add(udpFrame(decoy, 5555, '198.18.90.2', 53, question), start)
  windows.add(udpFrame('198.18.90.2', 53, decoy, 5555, 'answer'), start + 7)
  windows.add(udpFrame('198.18.90.9', 6000, decoy, 161, 'get'), start + 10)
  windows.add(udpFrame(decoy, 161, '198.18.90.9', 6000, 'value'), start + 14)
  windows.add(udpFrame(decoy, 161, '198.18.90.255', 162, 'announced'), start + 20)
  const there = { from: decoy, fromPort: 33_000, to: '198.18.90.4', toPort: 22 }
  windows.add(tcpFrame({ ...there, flags: syn }), start + 30)
  windows.add(tcpFrame({ from: there.to, fromPort: 22, to: decoy, toPort: there.fromPort, flags: synAck }), start + 35)
  const told = windows.take(start + minute, 0)
  const [own] = of(told, undefined)
  t.match(own?.profile['name.kind'], { counts: { 'A plain': 1 } })
  t.match(own?.profile['response.delay'], { n: 1, values: [7] })
  t.match(own?.profile['connect.delay'], { n: 1, values: [5] })
  const partners = own?.profile['partner.kind']
  t.equal(partners?.form === 'mix' && Object.keys(partners.counts).length, 3)
  t.match(of(told, 161)[0]?.profile['response.delay'], { n: 1, values: [4] })
})

t.test(
  'our own audit is counted and is no feature; the same address is anybody before, after and from other ports',
  async (t) => {
    let now = start
    const looks = makeOwnLooks({ clock: { now: () => now, sleep: async () => {} } })
    const isOwnLook = (address: number, port: number, at: number) => looks.isOwn(id, address, port, at)
    const windows = windowsOf('none', { isOwnLook })
    const from = { ip: '198.18.90.77', mac: '02:00:00:00:00:77', portFrom: 30_000, portTo: 30_999 }
    visit(windows, start - 500, from.ip, 30_001, 10)
    const over = looks.begun(id, from)
    visit(windows, start + 1000, '198.18.90.9', 40_000, 30)
    for (let i = 0; i < 20; i++) visit(windows, start + 2000 + i, from.ip, 30_010 + i, 900, i % 2 ? 80 : 22)
    visit(windows, start + 3000, from.ip, 50_000, 20)
    const told = windows.take(start + minute, 0)
    for (const one of told) featureWindow.parse(one)
    const [web] = of(told, 80)
    t.equal(web?.ownLooks, 60)
    t.match(web?.profile['response.delay'], { n: 3, values: [10, 30, 20] })
    t.match(web?.profile['session.rate'], { count: 2 })
    const [ssh] = of(told, 22)
    t.equal(ssh?.ownLooks, 60)
    t.match(ssh?.profile['session.rate'], { count: 0 }, 'nobody else was there')
    now = start + minute
    over()
    visit(windows, start + 10 * minute, from.ip, 30_100, 40)
    const [later] = of(windows.take(start + 11 * minute, 0), 80)
    t.match(later?.profile['response.delay'], { values: [40] }, 'whoever has the address by then is a visitor')
    t.equal(later?.ownLooks, undefined)
  },
)

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

t.test('quiet windows wait, and all seconds that were looked at are told once', async (t) => {
  const windows = windowsOf()
  const told: FeatureWindow[] = []
  for (let i = 1; i <= 130; i++) {
    if (i === 30) visit(windows, start + 29 * minute + 500, '198.18.90.9', 40_000, 30)
    told.push(...windows.take(start + i * minute, 0))
  }
  t.strictSame(
    of(told, 80).map(({ seconds, profile }) => [seconds, (profile['session.rate'] as { count: number }).count]),
    [
      [29 * 60, 0],
      [60, 1],
      [30 * 60, 0],
      [60 * 60, 0],
    ],
  )
  t.strictSame(
    of(told, 22).map(({ seconds, profile }) => [seconds, (profile['session.rate'] as { seconds: number }).seconds]),
    [
      [3600, 3600],
      [3600, 3600],
    ],
  )
  const missed = of(windows.take(start + 131 * minute, 4), 22).map(({ missed }) => missed)
  t.strictSame(missed, [0, 4], 'what was missed is told at once, after the quiet time before it')
})

t.test('a name of an address stays, and another segment or key gives another', async (t) => {
  const folder = t.testdir()
  const at = '198.18.90.0/24'
  const open = async (where: string, cidr = at) => (await openPseudonyms(where))(cidr)
  const names = await open(folder)
  t.equal((await open(folder))(1), names(1))
  t.equal((await open(folder, '198.18.90.77/24'))(1), names(1), 'the segment, however it is written')
  t.not((await open(folder, '198.18.91.0/24'))(1), names(1))
  t.not((await open(join(folder, 'other')))(1), names(1))
  const key = await readFile(join(folder, 'pseudonym.key'), 'utf8')
  t.match(key, /^[0-9a-f]{64}\n$/)
  t.equal((await stat(join(folder, 'pseudonym.key'))).mode & 0o777, 0o600)
  // Whoever has the names and not the key tries all addresses there may be with what he can guess.
  const told = new Set(Array.from({ length: 254 }, (_, i) => names(numberOf('198.18.90.1') + i)))
  const guesses = [Buffer.alloc(0), Buffer.alloc(32), Buffer.from(at), Buffer.from('marshlight')].map(makePseudonyms)
  for (const guess of guesses)
    for (let i = 0; i < 65_536; i++) if (told.has(guess(numberOf('198.18.0.0') + i))) t.fail(`${i} is found out`)
  t.match(names(numberOf(decoy)), /^[0-9a-f]{12}$/)
})

t.test('counts are read in one line or three, with other words between', async (t) => {
  const reader = makeCountReader()
  t.equal(
    reader.read('tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 65535 bytes'),
    undefined,
  )
  const words = 'tcpdump: 12 packets captured, 24 packets received by filter, 8 packets dropped by kernel'
  t.strictSame(reader.read(words), { captured: 12, received: 24, dropped: 8, final: false })
  t.equal(reader.read('1 packet captured'), undefined)
  t.equal(reader.read('1 packet received by filter'), undefined)
  const atEnd = reader.read('0 packets dropped by kernel')
  t.strictSame(atEnd, { captured: 1, received: 1, dropped: 0, final: true })
  const counts = { captured: 12, received: 24, dropped: 8 }
  t.equal(missedBy({ ...counts, final: false }), 8, 'four of them wait, and may still be read')
  t.equal(missedBy({ ...counts, final: true }), 12, 'nobody reads them any more')
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
