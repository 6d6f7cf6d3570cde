import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { numberOf } from '../../agent/capture/decode.ts'
import { startDump } from '../../agent/capture/dump.ts'
import { fileHeadBytes, makePcapReader } from '../../agent/capture/pcap.ts'
import { makeRing } from '../../agent/capture/ring.ts'
import { makeWindows } from '../../agent/capture/windows.ts'
import { systemClock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import { seededRandom } from '../../shared/random.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench } from './row.ts'

const decoy = '198.18.79.2'
/** Datagrams that fill a frame of Ethernet, at a steady pace; tells how many it sent, and in what time. */
const sender = `
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mbit, seconds = float(sys.argv[1]), float(sys.argv[2])
pace, began, sent = mbit * 1e6 / 8 / 1514, time.time(), 0
while sent < pace * seconds:
    if sent > (time.time() - began) * pace: time.sleep(0.0005); continue
    s.sendto(b'x' * 1472, ('${decoy}', 161)); sent += 1
print(sent, time.time() - began)
`
const run = (command: string, ...argv: string[]) => execFileSync(command, argv, { stdio: 'pipe' })
const ticks = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
const kilobytes = (pid: number, what: RegExp): number =>
  [...readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(what)].reduce((sum, [, kb]) => sum + Number(kb), 0)

/**
 * A decoy's capture as it is shipped, tcpdump to windows and ring, on a network of two namespaces: what it takes in a second
 * at 100 Mbit/s, what is missed then of what was sent, and what it costs. `capture.uncounted` is what neither came nor was counted.
 */
export const driftCaptureBench: Bench = {
  names: [
    'capture.mbit_per_s',
    'capture.missed',
    'capture.uncounted',
    'capture.rss_mb',
    'capture.cpu_percent_idle',
    'capture.cpu_percent_10_mbit',
    'features.cpu_ms_per_1000_packets',
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const [here, there] = ['capture-bench-a', 'capture-bench-b']
      for (const name of [here, there]) {
        run('ip', 'netns', 'add', name)
        cleanUp.add(() => run('ip', 'netns', 'del', name))
      }
      run('ip', '-n', here, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', there)
      run('ip', '-n', here, 'addr', 'add', '198.18.79.1/24', 'dev', 'eth0')
      run('ip', '-n', there, 'addr', 'add', `${decoy}/24`, 'dev', 'eth0')
      for (const name of [here, there]) run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
      const pod = spawn('nsenter', [`--net=/run/netns/${there}`, 'sleep', '120'])
      cleanUp.add(() => pod.kill('SIGKILL'))
      await delay(300)
      const folder = await mkdtemp(join(tmpdir(), 'capture-bench-'))
      cleanUp.add(() => rm(folder, { recursive: true, force: true }))
      const log = makeLog('bench', 'silent')
      const ring = makeRing({ folder: join(folder, 'ring'), clock: systemClock, log }, () => ({
        bytes: 64 * 1_048_576,
        hours: 1,
      }))
      const windows = makeWindows({
        ...{ decoy, address: numberOf(decoy), ports: new Map([[161, 'snmp']]), random: seededRandom('bench') },
        ...{ pseudonym: String, from: Date.now(), drift: 'none' },
      })
      let packets = 0
      const kept: Buffer[] = []
      const reader = makePcapReader(
        ({ frame, at }) => {
          if (frame.readUInt16BE(12) === 0x0800 && frame.length > 1400) packets++
          if (kept.length < 1000) kept.push(Buffer.from(frame))
          windows.add(frame, at)
        },
        (bytes) => {
          if (bytes.length === fileHeadBytes) ring.begin(bytes)
          else if (!ring.write(bytes)) {
            dump.pause()
            void ring.settled().then(dump.resume)
          }
        },
      )
      const dump = await startDump(pod.pid as number, (bytes) => reader.push(bytes))
      cleanUp.add(() => dump.stop())
      await delay(500)
      const pid = dump.pid as number

      async function load(mbit: number, seconds: number) {
        const [count, own, its, began] = [packets, process.cpuUsage(), ticks(pid), performance.now()]
        const before = (await dump.counts())?.dropped ?? 0
        let told = ''
        if (mbit === 0) await delay(seconds * 1000)
        else {
          const argv = [`--net=/run/netns/${here}`, 'python3', '-c', sender, String(mbit), String(seconds)]
          const child = spawn('nsenter', argv, { stdio: ['ignore', 'pipe', 'inherit'] })
          child.stdout.on('data', (chunk: Buffer) => {
            told += chunk.toString()
          })
          await once(child, 'close')
        }
        // The kernel hands over a block after a second at the latest.
        await delay(1500)
        await ring.settled()
        const spent = process.cpuUsage(own)
        const wall = performance.now() - began - 1500
        const cpuPercent = ((spent.user + spent.system) / 1000 + ticks(pid) - its) / (wall / 100)
        const [sent = 0, took = 1] = told.trim().split(' ').map(Number)
        const missed = ((await dump.counts())?.dropped ?? 0) - before
        return { sent, took, seen: packets - count, missed, cpuPercent }
      }
      progress('nothing, then 10, then 100 Mbit/s')
      const [idle, slow, fast] = [await load(0, 3), await load(10, 3), await load(100, 4)]
      const began = process.cpuUsage()
      for (let i = 0; i < 20; i++) for (const frame of kept) windows.add(frame, Date.now())
      const spent = process.cpuUsage(began)
      const mb = kilobytes(pid, /^Private_(?:Clean|Dirty):\s+(\d+)/gm) / 1024
      const one = (name: string, value: number, unit: string, target: number | null) => ({
        ...{ name, value, unit, better: 'lower' as const, target, reference: null },
      })
      return [
        {
          name: 'capture.mbit_per_s',
          value: (fast.seen * 1514 * 8) / 1e6 / fast.took,
          unit: 'Mbit/s',
          better: 'higher',
          target: 95,
          reference: (fast.sent * 1514 * 8) / 1e6 / fast.took,
        },
        one('capture.missed', fast.missed / fast.sent, 'ratio', 0.01),
        // Sent, and neither captured nor counted by the kernel as dropped.
        one('capture.uncounted', Math.abs(fast.sent - fast.seen - fast.missed), 'packets', 0),
        one('capture.rss_mb', mb, 'MB', 6),
        one('capture.cpu_percent_idle', idle.cpuPercent, '%', 1),
        one('capture.cpu_percent_10_mbit', slow.cpuPercent, '%', 10),
        one('features.cpu_ms_per_1000_packets', (spent.user + spent.system) / 1000 / 20, 'ms', 20),
      ]
    }),
}
