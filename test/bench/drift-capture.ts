import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { numberOf } from '../../agent/capture/decode.ts'
import { makeWindows } from '../../agent/capture/windows.ts'
import { seededRandom } from '../../shared/random.ts'
import { type CaptureLine, captureLine, decoy, port } from './capture-line.ts'
import { cleanedUp } from './clean-up.ts'
import { medianOfPairs, paired, shownMedian } from './paired.ts'
import type { Bench } from './row.ts'

const slowMbit = 10
/** Of a frame with the shortest head of IPv4. */
const sourcePortAt = 34
const packetBytes = 1514
const packetsASecond = (mbit: number) => (mbit * 1e6) / 8 / packetBytes

/**
 * A decoy's capture as it is shipped, tcpdump to windows and ring, on a card of its own: what it takes in a second at
 * 100 Mbit/s, what is missed then of what was sent, and what it costs a decoy.
 *
 *   capture.cpu_percent_10_mbit   of a core: sender, tcpdump and agent with the capture, less the sender without; in pairs
 *   capture.small_*               datagrams of 18 bytes, the least that Ethernet has, as fast as one sender makes them
 *   capture.rss_mb                tcpdump's own memory with the kernel's buffer
 *   features.*                    of it the part of the windows, in the agent, by packets that had been captured
 *   capture.uncounted             packets that neither came nor were counted
 */
export const driftCaptureBench: Bench = {
  names: [
    'capture.mbit_per_s',
    'capture.missed',
    'capture.uncounted',
    'capture.small_packets_per_s',
    'capture.small_missed',
    'capture.small_uncounted',
    'capture.rss_mb',
    'capture.cpu_percent_idle',
    'capture.cpu_percent_10_mbit',
    'features.cpu_ms_per_1000_packets',
    'features.cpu_percent_10_mbit',
    'features.mb',
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const folder = await mkdtemp(join(tmpdir(), 'capture-bench-'))
      cleanUp.add(() => rm(folder, { recursive: true, force: true }))
      const line = await captureLine(cleanUp, folder)

      progress('nothing')
      const look = await line.capture()
      const idleSeconds = 4
      const before = await look.tcpdumpMs()
      await delay(idleSeconds * 1000)
      const idlePercent = ((await look.tcpdumpMs()) - before) / (idleSeconds * 10)
      const mb = look.memoryMb()
      await look.end()

      progress(`${slowMbit} Mbit/s with and without, by turns`)
      const pairs = await paired(6, (kind) => percentOf(line, kind === 'within'))
      const slow = medianOfPairs(pairs, ({ within, without }) => within - without)
      progress(`${slowMbit} Mbit/s: ${shownMedian(slow)} % of a core`)

      progress('100 Mbit/s')
      const fastLook = await line.capture()
      const fast = await line.send(100, 4)
      await line.drained()
      const { seen, missed, frames } = await fastLook.end()

      progress('frames as small as they get')
      const smallLook = await line.capture()
      const small = await line.send(100, 2, 18)
      await line.drained()
      const smallEnd = await smallLook.end()

      const windows = () => windowsOf(seededRandom('bench'))
      const features = featureCost(windows(), frames)
      const one = (name: string, value: number, unit: string, target: number | null) => ({
        ...{ name, value, unit, better: 'lower' as const, target, reference: null },
      })
      return [
        {
          name: 'capture.mbit_per_s',
          value: (seen * packetBytes * 8) / 1e6 / fast.seconds,
          unit: 'Mbit/s',
          better: 'higher',
          target: 95,
          reference: (fast.sent * packetBytes * 8) / 1e6 / fast.seconds,
        },
        one('capture.missed', missed / fast.sent, 'ratio', 0.01),
        one('capture.uncounted', Math.abs(fast.sent - seen - missed), 'packets', 0),
        {
          ...{ name: 'capture.small_packets_per_s', value: smallEnd.seen / small.seconds, unit: 'packets/s' },
          ...{ better: 'higher', target: null, reference: small.sent / small.seconds },
        },
        one('capture.small_missed', smallEnd.missed / small.sent, 'ratio', null),
        one('capture.small_uncounted', Math.abs(small.sent - smallEnd.seen - smallEnd.missed), 'packets', 0),
        one('capture.rss_mb', mb, 'MB', 6),
        one('capture.cpu_percent_idle', idlePercent, '%', 1),
        one('capture.cpu_percent_10_mbit', slow.measured, '%', 10),
        one('features.cpu_ms_per_1000_packets', features, 'ms', 20),
        one('features.cpu_percent_10_mbit', (features * packetsASecond(slowMbit)) / 1e4, '%', 2),
        one('features.mb', featureMemory(windows, frames), 'MB', 1),
      ]
    }),
}

/** Percent of a core that a second at `slowMbit` takes of all who take part in it. */
async function percentOf(line: CaptureLine, captured: boolean): Promise<number> {
  const seconds = 1.5
  const look = captured ? await line.capture() : undefined
  const [own, its] = [process.cpuUsage(), (await look?.tcpdumpMs()) ?? 0]
  const { cpuMs } = await line.send(slowMbit, seconds)
  await line.drained()
  const spent = process.cpuUsage(own)
  const tcpdumpMs = ((await look?.tcpdumpMs()) ?? 0) - its
  await look?.end()
  return (cpuMs + tcpdumpMs + (spent.user + spent.system) / 1000) / (seconds * 10)
}

const windowsOf = (random: ReturnType<typeof seededRandom>) =>
  makeWindows({
    ...{ decoy, address: numberOf(decoy), ports: new Map([[port, 'snmp']]), random },
    ...{ pseudonym: String, from: Date.now(), drift: 'none' },
  })

/** Milliseconds of processor for a thousand packets; the first round warms up. */
export function featureCost(windows: ReturnType<typeof windowsOf>, frames: readonly Buffer[]): number {
  const rounds = 20
  const once = () => {
    for (const frame of frames) windows.add(frame, Date.now())
  }
  once()
  const began = process.cpuUsage()
  for (let i = 0; i < rounds; i++) once()
  const spent = process.cpuUsage(began)
  return (spent.user + spent.system) / rounds / frames.length
}

/** What windows of one decoy hold, with as many conversations as they follow at once: the mean of fifty. */
function featureMemory(make: () => ReturnType<typeof windowsOf>, captured: readonly Buffer[]): number {
  const frames = captured.map((frame, i) => {
    const own = Buffer.from(frame)
    own.writeUInt16BE(20_000 + i, sourcePortAt)
    return own
  })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const decoys = 50
  collect()
  const before = process.memoryUsage().heapUsed
  const held = Array.from({ length: decoys }, () => {
    const windows = make()
    for (const frame of frames) windows.add(frame, Date.now())
    return windows
  })
  collect()
  const bytes = process.memoryUsage().heapUsed - before
  return bytes / held.length / 1_048_576
}
