import { execFileSync } from 'node:child_process'
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeCapture } from '../../agent/capture/index.ts'
import { makeRing } from '../../agent/capture/ring.ts'
import { makeCaptureProbe } from '../../agent/health/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import { type FeatureWindow, featureWindow } from '../../shared/schemas/observation.ts'
import { captureHead, capturePacket, syn, tcpFrame } from '../unit/capture/frames.ts'
import { tempFolder } from '../unit/spool/records.ts'

const decoy = { id: '01920000-0000-7000-8000-00000000000a', ip: '198.18.90.1', cidr: '198.18.90.0/24' }
const ended = Promise.withResolvers<string>()

async function disk(t: Test, kilobytes: number): Promise<string> {
  const folder = await tempFolder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder])
  t.teardown(() => execFileSync('umount', ['-l', folder]))
  return folder
}

t.test('where the disk is full a ring rests and is told of, features go on, and it comes back by itself', async (t) => {
  // As much as is left for the system on any disk, and 4 MB.
  const folder = await disk(t, (256 + 4) * 1024)
  let now = Date.parse('2026-03-02T10:00:00Z')
  const steps: (() => void)[] = []
  const told: FeatureWindow[] = []
  let give = (_bytes: Buffer): void => {}
  const capture = makeCapture({
    pods: () => [{ decoy: decoy.id, run: 'one', pid: 1 }],
    report: async (_stream, records) => void told.push(...records.map((one) => featureWindow.parse(one))),
    spool: { append: async () => undefined, standing: () => ({ epoch: decoy.id, acknowledged: 0, next: 0 }) },
    clock: {
      now: () => now,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason)
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
          steps.push(() => {
            now += ms
            resolve()
          })
        }),
    },
    random: seededRandom('full'),
    log: silentLog,
    stateDir: folder,
    startDump: async (_pid, _ip, onBytes) => {
      give = onBytes
      setImmediate(() => onBytes(captureHead()))
      const counts = async () => ({ captured: 0, received: 0, dropped: 0, final: false })
      const stop = async () => ended.resolve('stopped')
      return { pid: 1, counts, pause() {}, resume() {}, ended: ended.promise, stop }
    },
  })
  const probe = makeCaptureProbe(() => capture.standing())
  const until = async (so: () => boolean | Promise<boolean>) => {
    while (!(await so())) {
      await new Promise((resolve) => setImmediate(resolve))
      steps.shift()?.()
    }
  }
  let from = 1
  const visit = () => {
    const frame = tcpFrame({ from: '198.18.90.9', fromPort: from++, to: decoy.ip, toPort: 22, flags: syn })
    give(capturePacket(now, frame))
  }
  const visitors = () =>
    told
      .filter(({ subject }) => subject.kind === 'decoy' && subject.port === 22)
      .map(({ profile }) => profile['tcp.window'])
  const observe = { capture: true, ringMb: 1, ringHours: 1, windowSeconds: 10, segments: [], mirrorPorts: [] }
  capture.applyPlan({
    decoys: [{ ...decoy, persona: 'p' }],
    personas: [{ id: 'p', ssh: {}, services: [] }],
    observe: { ...observe, probeEverySeconds: 0 },
  } as unknown as Plan)
  await capture.start(new AbortController().signal)
  t.teardown(() => capture.stop())
  await until(() => capture.standing().decoys === 1 && capture.standing().unlooked === 0)
  visit()
  const ring = join(folder, 'capture', decoy.id)
  await until(async () => (await readdir(ring).catch(() => [])).length === 1)
  t.match(await probe.measure(), { ok: true, detail: '1 of 1 decoys, 0 packets missed' })

  const filler = join(folder, 'filler')
  await writeFile(filler, Buffer.alloc(8 * 1_048_576, 1))
  await until(async () => {
    visit()
    return !(await probe.measure()).ok
  })
  t.match(
    (await probe.measure()).detail,
    /1 rings cannot be written \(the disk is full\), \d+\.\d MB of packets not kept/,
  )
  t.ok(capture.standing().unwritten > 0)
  const before = visitors().length
  visit()
  await until(() => visitors().length > before)
  t.ok((visitors().at(-1) as { n: number }).n > 0, 'its features go on')

  await rm(filler)
  // Nobody comes any more: it is found out by itself.
  await until(async () => (await probe.measure()).ok)
  visit()
  await until(async () => (await readdir(ring).catch(() => [])).length > 0)
  t.match((await probe.measure()).detail, '1 of 1 decoys, 0 packets missed')
})

t.test('a disk that takes not one byte more leaves no empty files, and no piece of a packet', async (t) => {
  const folder = await disk(t, 512)
  const filler = join(folder, 'filler')
  const path = join(folder, 'ring')
  await mkdir(path)
  const ring = makeRing(
    // Such a disk says that it has room, as one with a quota does.
    { folder: path, clock: systemClock, log: silentLog, freeBytes: async () => 1e12 },
    () => ({ bytes: 1_048_576, hours: 1 }),
  )
  const packet = capturePacket(
    Date.now(),
    tcpFrame({ from: '198.18.90.9', fromPort: 1, to: decoy.ip, toPort: 22, data: 'x'.repeat(30_000) }),
  )
  ring.begin(captureHead())
  ring.write(packet)
  await ring.settled()
  const { bavail, bsize } = await statfs(folder)
  await writeFile(filler, Buffer.alloc((bavail - 1) * bsize, 1))
  for (let i = 0; i < 50; i++) {
    ring.write(packet)
    await ring.settled()
  }
  t.match(ring.trouble(), /ENOSPC|the disk took/)
  t.equal(ring.unwritten(), 50 * packet.length)
  t.ok((await readdir(path)).length === 1, `${(await readdir(path)).length} files`)
  await rm(filler)
  ring.write(packet)
  await ring.stop()
  t.equal(ring.trouble(), undefined)
  for (const name of await readdir(path))
    t.match(
      execFileSync('tcpdump', ['-n', '-r', join(path, name)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
      /198\.18\.90\.9/,
    )
})
