import { execFileSync } from 'node:child_process'
import { appendFileSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makePcapReader } from '../../../agent/capture/pcap.ts'
import { makeRing } from '../../../agent/capture/ring.ts'
import { readPieces, ringFiles } from '../../../agent/capture/ring-files.ts'
import { makeLog } from '../../../shared/log.ts'
import { captureHead, capturePacket, tcpFrame } from './frames.ts'

const start = Date.parse('2026-03-02T10:00:00Z')
const packet = (n: number, bytes: number) =>
  capturePacket(
    start + n,
    tcpFrame({
      from: '198.18.90.9',
      fromPort: n % 60_000,
      to: '198.18.90.1',
      toPort: 80,
      seq: n,
      data: 'x'.repeat(bytes),
    }),
  )

function ringIn(folder: string, bytes: number, hours = 1, freeBytes = async () => 1e12) {
  const clock = { at: start, now: () => clock.at, sleep: async () => {} }
  const ring = makeRing({ folder, clock, log: makeLog('test', 'silent'), freeBytes }, () => ({ bytes, hours }))
  return { ring, clock }
}

/** Sequence numbers of all packets of the ring, oldest first. */
async function numbers(folder: string): Promise<number[]> {
  const seen: number[] = []
  for (const { path } of await ringFiles(folder))
    await readPieces(
      path,
      makePcapReader(({ frame }) => seen.push(frame.readUInt32BE(38))),
    )
  return seen
}
const sizeOf = (folder: string) => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

t.test('a ring has the newest packets, whole, and never more than its limit', async (t) => {
  const folder = join(t.testdir(), 'ring')
  const { ring, clock } = ringIn(folder, 1_048_576)
  await ring.open()
  ring.begin(captureHead())
  let most = 0
  for (let n = 0; n < 4000; n++) {
    clock.at += 1
    ring.write(packet(n, 1000))
    if (n % 50 !== 0) continue
    await ring.settled()
    most = Math.max(most, sizeOf(folder))
  }
  await ring.stop()
  t.ok(most <= 1_048_576, `${most} bytes`)
  const seen = await numbers(folder)
  t.ok(seen.length > 700, `${seen.length} packets are kept`)
  t.strictSame(
    seen,
    Array.from({ length: seen.length }, (_, i) => 4000 - seen.length + i),
  )
  t.equal(ring.unwritten(), 0)
})

t.test('what a killed agent leaves is mended, and the ring goes on', async (t) => {
  const folder = join(t.testdir(), 'ring')
  const { ring } = ringIn(folder, 1_048_576)
  ring.begin(captureHead())
  ring.write(Buffer.concat([packet(0, 100), packet(1, 100), packet(2, 100)]))
  await ring.stop()
  const [file] = await ringFiles(folder)
  if (!file) throw new Error('no file')
  truncateSync(file.path, file.bytes - 50)
  const again = ringIn(folder, 1_048_576).ring
  await again.open()
  again.begin(captureHead())
  again.write(packet(3, 100))
  await again.stop()
  t.strictSame(await numbers(folder), [0, 1, 3])
  t.equal((await ringFiles(folder)).length, 2)
  for (const { path } of await ringFiles(folder))
    t.match(
      execFileSync('tcpdump', ['-n', '-r', path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
      /length 100/,
    )
  writeFileSync(join(folder, `${start + 9e6}.pcap`), 'no capture')
  await ringIn(folder, 1_048_576).ring.open()
  t.equal((await ringFiles(folder)).length, 2, 'what is no capture goes')
  appendFileSync(join(folder, 'notes.txt'), 'not of the ring')
  t.strictSame(await numbers(folder), [0, 1, 3])
})

t.test('what is too old goes, and with the last file the folder', async (t) => {
  const folder = join(t.testdir(), 'ring')
  const { ring, clock } = ringIn(folder, 1_048_576, 2)
  ring.begin(captureHead())
  ring.write(packet(0, 100))
  await ring.settled()
  const [first] = await ringFiles(folder)
  utimesSync(first?.path ?? '', start / 1000, start / 1000)
  clock.at = start + 3_600_000
  ring.write(packet(1, 100))
  await ring.settled()
  t.equal((await ringFiles(folder)).length, 2, 'another file after a part of its hours')
  clock.at = start + 2 * 3_600_000 + 1
  t.equal(await ring.age(), true)
  t.strictSame(await numbers(folder), [1])
  clock.at = Date.now() + 3 * 3_600_000
  t.equal(await ring.age(), false)
  t.strictSame(await ringFiles(folder), [])
  ring.write(packet(2, 100))
  await ring.stop()
  t.strictSame(await numbers(folder), [2], 'and it begins anew')
})

t.test('a disk without room is no end: it gives way, and what is not written is counted', async (t) => {
  const folder = join(t.testdir(), 'ring')
  let free = 1e12
  const { ring } = ringIn(folder, 1_048_576, 1, async () => free)
  ring.begin(captureHead())
  ring.write(packet(0, 60_000))
  ring.write(packet(1, 60_000))
  await ring.settled()
  free = 1000
  ring.write(packet(2, 60_000))
  ring.write(packet(3, 60_000))
  await ring.settled()
  const lost = ring.unwritten()
  t.ok(lost > 0, `${lost} bytes are counted`)
  free = 1e12
  ring.write(packet(4, 60_000))
  await ring.stop()
  t.equal(ring.unwritten(), lost)
  t.equal((await numbers(folder)).at(-1), 4)
})
