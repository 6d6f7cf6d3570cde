import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makePcapReader, type Packet } from '../../../agent/capture/pcap.ts'
import { makePseudonyms } from '../../../agent/capture/pseudonyms.ts'
import { makeSegmentFeatures } from '../../../agent/hearing/segment-features.ts'
import { seededRandom } from '../../../shared/random.ts'
import { profile } from '../../../shared/schemas/baseline.ts'

/** What `capture.test.ts` tells of it: clients at a web server, TLS and SSH, names. */
const recording = readFileSync(join(import.meta.dirname, '../capture/conversation.pcap'))
const packets: Packet[] = []
makePcapReader((packet) => packets.push({ ...packet, frame: Buffer.from(packet.frame) })).push(recording)
const end = (packets.at(-1)?.at ?? 0) + 200_000

function heard(cidr: string, isOurs: (mac: string) => boolean = () => false) {
  const pseudonym = makePseudonyms(Buffer.alloc(32, 1))
  const features = makeSegmentFeatures({ cidr, random: seededRandom('segment'), pseudonym, isOurs })
  for (const { frame, at } of packets) features.add(frame, at)
  return features.take(60, end)
}

t.test('who speaks to whom, how much, how fast, and what for, in pseudonyms', async (t) => {
  const { profile: seen, conversations } = heard('198.18.90.0/24')
  t.ok(profile.safeParse(seen).success)
  t.match(seen['name.kind'], { counts: { 'A plain': 1, 'PTR reverse': 1, 'SRV service': 1 } })
  t.match(seen['response.size'], { form: 'sample' })
  const delays = seen['response.delay']
  t.ok(delays?.form === 'sample' && delays.values.filter((ms) => ms >= 30).length >= 12, 'the server waits 30 ms')
  const clients = seen['client.kind']
  t.ok(clients?.form === 'mix' && Object.keys(clients.counts).some((kind) => kind.startsWith('t13d')), 'a TLS client')
  const servers = seen['handshake.kind']
  t.ok(servers?.form === 'mix' && Object.keys(servers.counts).some((kind) => /^1\.[23] /.test(kind)), 'what TLS chose')
  t.match(seen['error.share'], { part: 1, of: 6 }, 'a closed port')
  t.match(seen['connect.delay'], { n: 5 })
  t.match(seen['answer.window'], { n: 5, unit: 'bytes' })
  const partners = seen['partner.kind']
  t.ok(partners?.form === 'mix' && Object.keys(partners.counts).every((name) => /^[0-9a-f]{12}$/.test(name)))
  t.ok(conversations.some(({ kind }) => kind === 'tcp 8080'))
  t.notMatch(JSON.stringify([seen, conversations]), /198\.18\.|\d+\.\d+\.\d+\.\d+/, 'no address in any of it')
})

t.test('what two cards hear was said once, what one hears twice was said twice', async (t) => {
  const pseudonym = makePseudonyms(Buffer.alloc(32, 1))
  const begun = () =>
    makeSegmentFeatures({ cidr: '198.18.90.0/24', random: seededRandom('segment'), pseudonym, isOurs: () => false })
  const [one, two, again] = [begun(), begun(), begun()]
  const isDatagram = (frame: Buffer) => frame[23] === 17
  const datagrams = packets.filter(({ frame }) => isDatagram(frame))
  for (const { frame, at } of datagrams) for (const to of [one, two]) to.add(frame, at, 'eth0')
  // A mirror port hears more; its packets come a little later each, and to us all at once.
  for (const { frame, at } of packets) {
    if (!isDatagram(frame)) one.add(frame, at + 0.7, 'mirror0')
    two.add(frame, at + 0.7, 'mirror0')
  }
  const [single, both] = [one.take(60, end), two.take(60, end)]
  t.same(both.conversations, single.conversations)
  t.same(both.profile, single.profile)
  for (const { frame, at } of packets) {
    again.add(frame, at, 'mirror0')
    again.add(frame, at + 0.7, 'mirror0')
  }
  const names = ({ profile: { 'name.kind': kinds } }: typeof single) => (kinds?.form === 'mix' ? kinds.counts : {})
  t.equal(names(again.take(60, end))['A plain'], 2 * (names(single)['A plain'] as number))
})

t.test('other networks, decoys and the appliance are left out', async (t) => {
  t.same(heard('198.18.91.0/24').conversations, [])
  const macs = new Set(
    packets.map(({ frame }) =>
      frame
        .subarray(6, 12)
        .toString('hex')
        .replace(/(..)(?=.)/g, '$1:'),
    ),
  )
  const { profile: seen, conversations } = heard('198.18.90.0/24', (mac) => macs.has(mac))
  t.same(conversations, [])
  t.match(seen['session.rate'], { count: 0 })
})
