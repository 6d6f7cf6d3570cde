import t from 'tap'
import { makeBucket, makeFrameGuard } from '../../../controller/link/guard.ts'

const limits = { packetBytes: 1000, connectBytes: 100, packetsPerSecond: 50 }
const packet = (size: number) => {
  const length = size < 128 ? [size] : [(size % 128) | 0x80, Math.floor(size / 128)]
  return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(size)])
}

t.test('packets within bounds pass, wherever the stream is cut', async (t) => {
  const bytes = Buffer.concat([packet(50), packet(1000), packet(0), packet(130)])
  for (const step of [1, 2, 3, 7, 64, 5000]) {
    const guard = makeFrameGuard(limits, () => 0)
    for (let at = 0; at < bytes.length; at += step) t.equal(guard.push(bytes.subarray(at, at + step)), undefined)
  }
})

t.test('a packet that announces too much is told before its body comes', async (t) => {
  const guard = makeFrameGuard(limits, () => 0)
  t.equal(guard.push(packet(50)), undefined)
  t.match(guard.push(packet(1001).subarray(0, 3)), /1001 bytes/)
  t.match(makeFrameGuard(limits, () => 0).push(packet(101)), /101 bytes/, 'the first packet is held to less')
  t.match(makeFrameGuard(limits, () => 0).push(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff])), /four bytes/)
})

t.test('a flood of packets is told, a new second begins anew', async (t) => {
  let now = 0
  const guard = makeFrameGuard(limits, () => now)
  const pings = Buffer.alloc(100, Buffer.from([0xc0, 0]))
  t.equal(guard.push(pings), undefined)
  now = 1000
  t.equal(guard.push(pings), undefined)
  t.match(guard.push(pings), /50 packets/)
})

t.test('a bucket lets a burst pass and then holds to its rate', async (t) => {
  let now = 0
  const bucket = makeBucket(100, 200, () => now)
  t.equal(bucket.take(200), 0)
  t.equal(bucket.take(50), 500)
  now = 500
  t.equal(bucket.take(0), 0)
  now = -10_000
  t.ok(bucket.take(10) <= 100, 'a clock set back takes nothing away')
})
