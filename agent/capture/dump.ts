import { type ChildProcess, spawn } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { MarshlightError } from '../../shared/errors.ts'
import { type DumpCounts, makeCountReader } from './dump-counts.ts'

/** The card of a pod, as the engine names it. */
const card = 'eth0'
/** Kilobytes between the kernel and tcpdump: 160 ms of 100 Mbit/s. It is memory of each decoy, used or not. */
const bufferKb = 2048
/** Whole packets, also those that a card hands over unsegmented. */
const snapBytes = 65_535
/** Of packets of a segment: as much as holds a TLS hello. */
const greetingBytes = 2048
const countWithinMs = 2000
/** As much as is read at once: less of it was all that there was. */
const fullReadBytes = 65_536
const endWithinMs = 3000
/** Neither root nor any right but to read packets of the network that it stands in. */
const nobody = '65534'

export interface Dump {
  /** What was counted so far, in all when it ended; undefined where it does not say in time, or was killed. */
  counts(): Promise<DumpCounts | undefined>
  /** While paused the kernel's buffer fills, and it counts what it must drop. */
  pause(): void
  resume(): void
  /** Ends it; resolves when its last bytes were given. */
  stop(): Promise<void>
  /** Why it ended. */
  ended: Promise<string>
  pid: number | undefined
}

/**
 * What a decoy's capture has: what the decoy sends, what is for it alone, and ARP about its address. What real hosts tell the
 * whole segment (names, leases, who looks for whom) is theirs: it never leaves the kernel. In the pod's network a frame for
 * one card is for the decoy's.
 */
const ofDecoy = (ip: string): string => `not ether multicast or host ${ip}`

/**
 * tcpdump in the network of a process, its capture of what concerns `ip` given to `onBytes` as it comes:
 *
 *   setpriv (dies with the agent) -> nsenter (the pod's network only) -> setpriv (no rights) -> tcpdump -w -
 *
 * It never writes a file, decodes nothing, and is no part of the container: the decoy cannot see it. Not promiscuous.
 * Throws COMMAND_FAILED where the process has no network of its own.
 */
export async function startDump(
  pid: number,
  ip: string,
  onBytes: (bytes: Buffer) => void,
  own = 'self',
): Promise<Dump> {
  const place = `/proc/${pid}/ns/net`
  const [ours, its] = await Promise.all([readlink(`/proc/${own}/ns/net`), readlink(place)])
  if (ours === its)
    throw new MarshlightError('COMMAND_FAILED', {
      command: `tcpdump in the network of process ${pid}`,
      why: 'the process stands in the appliance’s own network',
      next: 'It is looked at again when the pod has its network.',
    })
  const what = ['-p', '-n', '-U', '-i', card, '-s', String(snapBytes), '-B', String(bufferKb), '-w', '-', ofDecoy(ip)]
  const argv = ['--pdeathsig', 'KILL', 'nsenter', `--net=${place}`, 'setpriv', ...asNobody, 'tcpdump', ...what]
  return follow(spawn('setpriv', argv, { stdio: ['ignore', 'pipe', 'pipe'] }), onBytes)
}

const right = ['--inh-caps=-all,+net_raw', '--ambient-caps=-all,+net_raw', '--bounding-set=-all,+net_raw']
const who = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--no-new-privs', '--pdeathsig', 'KILL']
const asNobody = [...who, ...right]

/**
 * The same on a card of the appliance's own, for headers and greetings. A port that a switch mirrors to is read whole;
 * another card has what is for it and for all. What is from or to `without` (MACs) stays in the kernel.
 */
export async function startCardDump(
  nic: string,
  { mirror, without = [] }: { mirror: boolean; without?: readonly string[] },
  onBytes: (bytes: Buffer) => void,
): Promise<Dump> {
  const only = mirror ? [] : ['-p']
  const filter = [...without.map((mac) => `not ether host ${mac}`), '(ip or vlan)'].join(' and ')
  const what = ['-n', '-U', '-i', nic, '-s', String(greetingBytes), '-B', String(bufferKb), '-w', '-', filter]
  return follow(
    spawn('setpriv', [...asNobody, 'tcpdump', ...only, ...what], { stdio: ['ignore', 'pipe', 'pipe'] }),
    onBytes,
  )
}

function follow(child: ChildProcess, onBytes: (bytes: Buffer) => void): Dump {
  const reader = makeCountReader()
  const waiting = new Set<(counts: DumpCounts) => void>()
  let words = ''
  let listening = false
  if (child.stderr)
    createInterface({ input: child.stderr }).on('line', (line) => {
      listening ||= line.includes('listening on')
      const counts = reader.read(line)
      if (counts) for (const tell of waiting) tell(counts)
      else words = line.slice(0, 300)
    })
  let reads = 0
  let emptied = true
  child.stdout?.on('data', (bytes: Buffer) => {
    reads++
    emptied = bytes.length < fullReadBytes
    onBytes(bytes)
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, killed) => resolve(`${killed ?? `exit code ${code}`}${words ? `: ${words}` : ''}`))
  })

  /** Waits until nothing lies between it and here, so that it is not held up in its writing. False: not in time. */
  async function isIdle(): Promise<boolean> {
    const late = AbortSignal.timeout(countWithinMs)
    while (!late.aborted) {
      const before = reads
      await new Promise((resolve) => setImmediate(resolve))
      if (child.stdout?.isPaused()) await new Promise((resolve) => setTimeout(resolve, 20))
      else if (reads === before || emptied) return true
    }
    return false
  }

  const asked = () =>
    new Promise<DumpCounts | undefined>((resolve) => {
      const done = (counts: DumpCounts | undefined) => {
        clearTimeout(timer)
        waiting.delete(done)
        resolve(counts)
      }
      const timer = setTimeout(() => done(undefined), countWithinMs)
      waiting.add(done)
      child.kill('SIGUSR1')
    })

  return {
    pid: child.pid,
    ended,
    pause: () => void child.stdout?.pause(),
    resume: () => void child.stdout?.resume(),
    async counts() {
      const last = reader.last()
      if (child.exitCode !== null || child.signalCode !== null) return last?.final ? last : undefined
      // Before it listens the signal would end it, and what it is writing would be lost by it.
      if (!listening || !(await isIdle())) return undefined
      return asked()
    },
    async stop() {
      child.stdout?.resume()
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), endWithinMs)
      await ended
      clearTimeout(timer)
    },
  }
}
