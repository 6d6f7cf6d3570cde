import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeOwnLooks } from '../../../agent/audit/own-looks.ts'
import { numberOf } from '../../../agent/capture/decode.ts'
import { makeCountReader, missedBy } from '../../../agent/capture/dump-counts.ts'
import { makePseudonyms, openPseudonyms } from '../../../agent/capture/pseudonyms.ts'
import { type FeatureWindow, featureWindow } from '../../../shared/schemas/observation.ts'
import { reset, syn, synAck, tcpFrame, udpFrame } from './frames.ts'

import { decoy, id, minute, of, start, visit, windowsOf } from './window-world.ts'

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

t.test('rooms that open the names at the same time have the same', async (t) => {
  const folder = join(t.testdir(), 'new')
  const all = await Promise.all(Array.from({ length: 8 }, () => openPseudonyms(folder)))
  t.equal(new Set(all.map((names) => names('198.18.90.0/24')(1))).size, 1)
  t.strictSame(await readdir(folder), ['pseudonym.key'], 'and nothing is left beside it')
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
