import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { numberOf } from '../../agent/capture/decode.ts'
import { startDump } from '../../agent/capture/dump.ts'
import { missedBy } from '../../agent/capture/dump-counts.ts'
import { fileHeadBytes, makePcapReader } from '../../agent/capture/pcap.ts'
import { makeRing } from '../../agent/capture/ring.ts'
import { makeWindows } from '../../agent/capture/windows.ts'
import { systemClock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import { seededRandom } from '../../shared/random.ts'
import type { CleanUp } from './clean-up.ts'
import { processorMs } from './paired.ts'

export const decoy = '198.18.79.2'
export const port = 161
const mac = '52:54:00:79:00:02'

/** Takes datagrams, and answers none. */
const sink = `
import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('${decoy}', ${port}))
print('ready', flush=True)
signal.pause()
`
/** Datagrams of so many bytes, at a steady pace of frames: how many, in what time, for how much of a processor. */
const sender = `
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin:
    mbit, seconds, size = map(float, line.split())
    said = b'x' * int(size)
    pace, began, spent, sent = mbit * 1e6 / 8 / (size + 42), time.time(), time.process_time(), 0
    while sent < pace * seconds and time.time() - began < 2 * seconds:
        if sent > (time.time() - began) * pace: time.sleep(0.0005); continue
        s.sendto(said, ('${decoy}', ${port})); sent += 1
    print(sent, time.time() - began, (time.process_time() - spent) * 1000, flush=True)
`
const run = (command: string, ...argv: string[]) => execFileSync(command, argv, { stdio: 'pipe' })
/** Of smaps_rollup: with it goes the kernel's buffer, which tcpdump has mapped. */
const ownMb = (pid: number): number =>
  [...readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].reduce(
    (sum, [, kb]) => sum + Number(kb) / 1024,
    0,
  )

/** Two cards that are joined, on which nothing goes but what is sent here; and captures at one end, as an agent has them. */
export async function captureLine(cleanUp: CleanUp, folder: string) {
  const [here, there] = ['capture-bench-a', 'capture-bench-b']
  for (const name of [here, there]) {
    run('ip', 'netns', 'add', name)
    cleanUp.add(() => run('ip', 'netns', 'del', name))
    run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1')
  }
  const pair = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', here]
  run('ip', '-n', there, 'link', 'add', 'eth0', 'address', mac, ...pair)
  run('ip', '-n', here, 'addr', 'add', '198.18.79.1/24', 'dev', 'eth0')
  run('ip', '-n', there, 'addr', 'add', `${decoy}/24`, 'dev', 'eth0')
  for (const name of [here, there]) run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
  run('ip', '-n', here, 'neigh', 'replace', decoy, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent')
  const inside = (space: string, program: string) => {
    const child = spawn('nsenter', [`--net=/run/netns/${space}`, 'python3', '-c', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    cleanUp.add(() => child.kill('SIGKILL'))
    return child
  }
  const pod = inside(there, sink)
  await once(pod.stdout, 'data')
  const sending = inside(here, sender)
  const answers = createInterface({ input: sending.stdout })
  const ring = makeRing({ folder: join(folder, 'ring'), clock: systemClock, log: makeLog('bench', 'silent') }, () => ({
    bytes: 64 * 1_048_576,
    hours: 1,
  }))

  /** From tcpdump to windows and ring; resolves when it looks. */
  async function capture() {
    const windows = makeWindows({
      ...{ decoy, address: numberOf(decoy), ports: new Map([[port, 'snmp']]), random: seededRandom('bench') },
      ...{ pseudonym: String, from: Date.now(), drift: 'none' },
    })
    let seen = 0
    const frames: Buffer[] = []
    const begun = Promise.withResolvers<void>()
    const reader = makePcapReader(
      ({ frame, at }) => {
        seen++
        if (frames.length < 1000) frames.push(Buffer.from(frame))
        windows.add(frame, at)
      },
      (bytes) => {
        if (bytes.length === fileHeadBytes) {
          ring.begin(bytes)
          begun.resolve()
        } else if (!ring.write(bytes)) {
          dump.pause()
          void ring.settled().then(dump.resume)
        }
      },
    )
    const dump = await startDump(pod.pid as number, decoy, (bytes) => reader.push(bytes))
    cleanUp.add(() => dump.stop())
    await begun.promise
    const pid = dump.pid as number
    return {
      tcpdumpMs: () => processorMs(pid),
      memoryMb: () => ownMb(pid),
      /** Counts of all of it. */
      async end() {
        await dump.stop()
        await ring.settled()
        const counts = await dump.counts()
        return { seen, frames, missed: counts ? missedBy(counts, seen) : Number.NaN }
      },
    }
  }

  return {
    capture,
    /** Datagrams of `bytes`, by default as many as fill a frame of Ethernet; for at most twice the time. */
    async send(mbit: number, seconds: number, bytes = 1472): Promise<{ sent: number; seconds: number; cpuMs: number }> {
      const answer = once(answers, 'line')
      sending.stdin.write(`${mbit} ${seconds} ${bytes}\n`)
      const [line] = (await answer) as [string]
      const [sent = 0, took = 1, cpuMs = 0] = line.split(' ').map(Number)
      return { sent, seconds: took, cpuMs }
    },
    /** The kernel hands over a block after a second at the latest. */
    async drained(): Promise<void> {
      await delay(1300)
      await ring.settled()
    },
  }
}

export type CaptureLine = Awaited<ReturnType<typeof captureLine>>
