import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { decode, makeFlows, makePcapReader, numberOf } from '../../agent/capture/index.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { makeSegment, run } from './namespace-segment.ts'

const program = join(import.meta.dirname, 'drift-service.py')
/** Of one processor, what the appliance of this lab has. */
const appliance = 0.2

/**
 * Decoys on a segment of their own, on an appliance that is a control group of half a processor; a visitor; and the packets
 * of each decoy, captured at its card and read as the agent reads them.
 */
export async function makeDriftLab(t: Test, count: number) {
  const tag = `detection${process.pid}`
  const group = groupOf(tag)
  // Registered first, so it comes last: a group goes when nothing is in it.
  t.teardown(group.remove)
  const segment = await makeSegment(t, 'detection')
  const addresses = Array.from({ length: count }, (_, i) => `198.18.77.${20 + i}`)
  const options = ['--cgroup-parent', `/${tag}`, '-u', '0', '-v', `${program}:/service.py:ro`]
  const image = 'marshlight/services:dev'
  const visitor = await segment.host('visitor', '198.18.77.9/24')
  const spaces: string[] = []
  for (const [i, address] of addresses.entries())
    spaces.push(
      await segment.container(
        `d${i}`,
        `${address}/24`,
        `02:00:00:00:77:2${i}`,
        image,
        'exec python3 /service.py serve',
        options,
      ),
    )
  group.limit(appliance)
  const captures = addresses.map((address, i) => captureAt(t, spaces[i] as string, address))
  await Promise.all(captures.map(({ ready }) => ready))

  const visit = (times: number) =>
    run('ip', 'netns', 'exec', visitor, 'python3', program, 'visit', String(times), ...addresses)
  return {
    /** What each decoy's packets show, window by window, while all are visited so often in each; and how busy the appliance was. */
    async observe(windows: number, times: number) {
      const [began, used] = [performance.now(), group.usedSeconds()]
      for (const capture of captures) capture.take(1)
      const seen: { profiles: Profile[]; seconds: number }[] = []
      for (let i = 0; i < windows; i++) {
        const from = performance.now()
        await visit(times)
        const seconds = (performance.now() - from) / 1000
        seen.push({ profiles: await Promise.all(captures.map((capture) => capture.whole(times, seconds))), seconds })
      }
      const busy = (group.usedSeconds() - used) / ((performance.now() - began) / 1000) / appliance
      return { windows: seen, cpuPercent: Math.min(100, 100 * busy) }
    },
    /** The port towards the visitor lets through so much; undefined: all. All decoys share it. */
    async narrow(rate: string | undefined): Promise<void> {
      // The visitor's card was plugged in first.
      const at = ['-n', segment.bridge, 'qdisc']
      if (rate === undefined) await run('tc', ...at, 'del', 'dev', 'port0', 'root')
      else await run('tc', ...at, 'add', 'dev', 'port0', 'root', 'tbf', 'rate', rate, 'burst', '3000', 'latency', '2s')
    },
    /** Something else on the appliance that takes what it gets. */
    async hog(): Promise<() => Promise<unknown>> {
      const name = `${tag}-hog`
      const loop = 'i=0; while :; do i=$((i+1)); done'
      await run(
        'docker',
        'run',
        '-d',
        '--rm',
        '--name',
        name,
        '--network',
        'none',
        '--cgroup-parent',
        `/${tag}`,
        '--entrypoint',
        'sh',
        image,
        '-c',
        `(${loop}) & ${loop}`,
      )
      const end = () => run('docker', 'rm', '-f', name).catch(() => undefined)
      t.teardown(end)
      return end
    },
    /** Somebody stops and continues the service of one decoy, again and again, until told to end. */
    async pulses(i: number): Promise<() => Promise<void>> {
      const pid = Number((await run('docker', 'inspect', '-f', '{{.State.Pid}}', spaces[i] as string)).trim())
      let on = true
      const done = (async () => {
        for (; on; await pause(40)) {
          process.kill(pid, 'SIGSTOP')
          await pause(160)
          process.kill(pid, 'SIGCONT')
        }
      })()
      return () => {
        on = false
        return done
      }
    },
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

function captureAt(t: Test, space: string, address: string) {
  const tcpdump: ChildProcess = spawn(
    'ip',
    ['netns', 'exec', space, 'tcpdump', '-i', 'seg0', '-U', '--immediate-mode', '-s', '256', '-w', '-', 'tcp port 80'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.teardown(async () => {
    tcpdump.kill()
    if (tcpdump.exitCode === null && tcpdump.signalCode === null) await once(tcpdump, 'close')
  })
  let last = 0
  let answered = 0
  let heard = () => {}
  const flows = makeFlows({
    decoy: numberOf(address),
    random: seededRandom(address),
    pseudonym: (other) => `host-${other & 255}`,
  })
  const reader = makePcapReader(({ at, frame }) => {
    const packet = decode(frame)
    if (!packet) return
    last = at
    // Its last word in a conversation.
    if (packet.source === numberOf(address) && packet.flags & 1) answered++
    flows.add(packet, at)
    heard()
  })
  tcpdump.stdout?.on('data', (piece: Buffer) => reader.push(piece))
  const ready = new Promise<void>((resolve, reject) => {
    tcpdump.stderr?.on('data', (text: Buffer) => text.includes('listening') && resolve())
    tcpdump.once('close', () => reject(new Error('tcpdump ended')))
  })
  ready.catch(() => undefined)
  const take = (seconds: number) => {
    answered = 0
    return flows.take(seconds, last)
  }
  return {
    ready,
    take,
    /** The window, once it holds the ends of so many conversations. */
    async whole(times: number, seconds: number): Promise<Profile> {
      while (answered < times) await new Promise<void>((resolve) => (heard = resolve))
      return take(seconds)
    },
  }
}

/** The control group of the appliance's containers, by either version. */
function groupOf(name: string) {
  const old = existsSync('/sys/fs/cgroup/cpu')
  const folder = old ? `/sys/fs/cgroup/cpu/${name}` : `/sys/fs/cgroup/${name}`
  const period = 100_000
  return {
    limit(processors: number): void {
      const quota = period * processors
      if (old) writeFileSync(`${folder}/cpu.cfs_quota_us`, String(quota))
      else writeFileSync(`${folder}/cpu.max`, `${quota} ${period}`)
      // It gets that much whatever else this machine does.
      if (old) writeFileSync(`${folder}/cpu.shares`, '16384')
      else writeFileSync(`${folder}/cpu.weight`, '5000')
    },
    usedSeconds(): number {
      if (old) return Number(readFileSync(`/sys/fs/cgroup/cpuacct/${name}/cpuacct.usage`, 'utf8')) / 1e9
      return Number(/usage_usec (\d+)/.exec(readFileSync(`${folder}/cpu.stat`, 'utf8'))?.[1]) / 1e6
    },
    remove(): void {
      for (const one of globSync(old ? `/sys/fs/cgroup/*/${name}` : folder)) rmdirSync(one)
    },
  }
}
