import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decode, numberOf, tcp } from '../../../agent/capture/decode.ts'
import { makeFlows } from '../../../agent/capture/flows.ts'
import { nameKind } from '../../../agent/capture/name-kind.ts'
import { makePcapReader, type Packet } from '../../../agent/capture/pcap.ts'
import { hassh } from '../../../agent/capture/ssh-hello.ts'
import { helloPrints } from '../../../agent/capture/tls-hello.ts'
import { seededRandom } from '../../../shared/random.ts'
import { exampleHello } from './frames.ts'

/**
 * Recorded by tcpdump between two namespaces: three clients with four requests each at an HTTP server that waits 30 ms, a
 * refused port, OpenSSL 3.0 and OpenSSH 9.2p1 as clients, and three DNS queries of the decoy.
 */
const recording = readFileSync(join(import.meta.dirname, 'conversation.pcap'))
const decoy = numberOf('198.18.90.1')

function packetsIn(bytes: Buffer, pieces: number): Packet[] {
  const packets: Packet[] = []
  const reader = makePcapReader((packet) => packets.push({ ...packet, frame: Buffer.from(packet.frame) }))
  for (let at = 0; at < bytes.length; at += pieces) reader.push(bytes.subarray(at, at + pieces))
  t.equal(reader.waiting(), 0)
  return packets
}

t.test('a capture is read the same in pieces of any size, and what is none is refused', async (t) => {
  const whole = packetsIn(recording, recording.length)
  t.ok(whole.length > 60, `${whole.length} packets`)
  for (const pieces of [1, 7, 1500]) t.strictSame(packetsIn(recording, pieces), whole)
  t.throws(() => packetsIn(Buffer.alloc(64, 7), 64), /no capture/)
  const damaged = Buffer.from(recording)
  damaged.writeUInt32LE(0x7fffffff, 24 + 8)
  t.throws(() => packetsIn(damaged, 100), /the capture is damaged/)
})

t.test('no bytes whatever make the decoding throw', async (t) => {
  const random = seededRandom('frames')
  const frames = packetsIn(recording, recording.length).map(({ frame }) => frame)
  let decoded = 0
  for (let i = 0; i < 20_000; i++) {
    const frame = Buffer.from(frames[Math.floor(random() * frames.length)] as Buffer)
    for (let n = 0; n < 4; n++) frame[Math.floor(random() * frame.length)] = Math.floor(random() * 256)
    const cut = frame.subarray(0, Math.floor(random() * (frame.length + 1)))
    const segment = decode(cut)
    if (!segment) continue
    decoded++
    helloPrints(segment.payload)
    hassh(segment.payload, 'client')
    nameKind(segment.payload)
  }
  t.ok(decoded > 5000, `${decoded} decoded`)
})

t.test('fingerprints are those that others compute', async (t) => {
  const data = new Map<string, Buffer>()
  for (const { frame } of packetsIn(recording, recording.length)) {
    const segment = decode(frame)
    if (segment?.protocol !== tcp || segment.bytes === 0) continue
    const key = `${segment.source === decoy ? 'from' : 'to'} ${segment.source === decoy ? segment.sourcePort : segment.targetPort}`
    data.set(key, Buffer.concat([data.get(key) ?? Buffer.alloc(0), segment.payload]))
  }
  // By Wireshark 4.0.
  t.match(helloPrints(data.get('to 8443') as Buffer), { ja3: '5a1edc7f170af1014fc65c994878e63c', ja4: /^t13d.*h2_/ })
  t.equal(hassh(data.get('from 2222') as Buffer, 'server'), '425d29fe50d8e4f5e37efb6e24bcf660')
  t.equal(hassh(data.get('to 2222') as Buffer, 'client'), '472b5de333ad665af5cbf10ff892c4df')
  // The example in the definition of JA4.
  t.equal(helloPrints(exampleHello())?.ja4, 't13d1516h2_8daaf6152771_e5627efa2ab1')
})

t.test('the features of a window are what happened in it', async (t) => {
  const flows = makeFlows({ decoy, random: seededRandom('window'), pseudonym: () => 'one' })
  const packets = packetsIn(recording, recording.length)
  for (const { at, frame } of packets) {
    const segment = decode(frame)
    const isWeb = segment && (segment.targetPort === 8080 || segment.sourcePort === 8080)
    if (segment && (isWeb || segment.targetPort === 53 || segment.targetPort === 9999 || segment.sourcePort === 9999))
      flows.add(segment, at)
  }
  const end = packets.at(-1)?.at ?? 0
  const seen = flows.take(60, end)
  t.match(seen['session.rate'], { count: 1, seconds: 60 }, 'one source, however often it came')
  t.match(seen['request.rate'], { count: 12 })
  t.match(seen['error.share'], { part: 1, of: 4 })
  t.match(seen['name.kind'], { counts: { 'A plain': 1, 'PTR reverse': 1, 'SRV service': 1 } })
  const delays = seen['response.delay']
  if (delays?.form !== 'sample') throw new Error('no delays')
  t.equal(delays.n, 12)
  t.ok(
    delays.values.every((ms) => ms >= 30 && ms < 200),
    delays.values.join(),
  )
  t.match(seen['response.size'], { n: 12, values: Array(12).fill(43) })
  t.match(flows.take(60, end + 200_000)['session.rate'], { count: 0 }, 'a new window is empty')
  t.equal(flows.followed(), 0, 'what is over is forgotten')
})
