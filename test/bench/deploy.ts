import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { controlFiles, writeControl } from '../../agent/decoys/control-files.ts'
import { type Decoys, makeArp, makeDecoys } from '../../agent/decoys/index.ts'
import { foldersOf, networkName } from '../../agent/decoys/specs.ts'
import { makeDockerEngine } from '../../agent/engine/index.ts'
import type { Report } from '../../agent/spool/port.ts'
import { controllerConfig } from '../../controller/config.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import type { DesiredDecoy } from '../../shared/schemas/desired-state.ts'
import { personaOf } from '../lab/cowrie-persona.ts'
import { decoyOf, planOf } from '../lab/decoys-appliance.ts'
import { makeSegment, type Segment } from '../lab/decoys-segment.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import { end } from './controller.ts'
import { type Bench, percentileOf } from './row.ts'

const pairs = 8
const images = {
  pod: 'marshlight/pod:dev',
  cowrie: 'marshlight/cowrie:dev',
  services: 'marshlight/services:dev',
  web: 'marshlight/web:dev',
}
const run = promisify(execFile)
const docker = async (...args: string[]) => (await run('docker', args)).stdout.trim()
const persona = personaOf('attic-nas', 1)
const { limits } = controllerConfig.parse({}).decoys

/**
 * How long until a decoy answers SSH in its segment. The reference is the engine's own start of the same image: two
 * `docker run` by hand, of the pod and of Cowrie, with the same network, mounts, files and limits, made ready before the
 * clock starts. Against it: a plan with one more decoy is handed to the agent's decoys part, which checks the address by
 * ARP, writes the files, makes both containers, and sets and reads back the packet filter. Both by turns in one run,
 * which of them goes first too, on an engine that has the network and the images already. The ratio is the median of the
 * pairs' ratios.
 */
export const deployBench: Bench = {
  names: ['deploy.ready_ratio', 'deploy.ready_seconds'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, 230)
      const probe = await startProbe(segment, cleanUp)
      const appliance = await startAppliance(segment, cleanUp)
      await appliance.add(decoyOf(segment, 20, 'standing', { limits }))
      progress('a first decoy stands, with the network')
      const [own, engine]: [number[], number[]] = [[], []]
      for (let i = 0; i <= pairs; i++) {
        const viaAgent = async () => ofAgent(appliance, decoyOf(segment, 40 + i, `decoy-${i}`, { limits }), probe)
        const byHand = async () => ofEngine(segment, decoyOf(segment, 80 + i, `hand-${i}`, { limits }), probe)
        const first = i % 2 === 0 ? await byHand() : undefined
        const mine = await viaAgent()
        const theirs = first ?? (await byHand())
        // The first pair warms the caches.
        if (i === 0) continue
        own.push(mine)
        engine.push(theirs)
        progress(`pair ${i} of ${pairs}: ${mine.toFixed(2)} s, the engine alone ${theirs.toFixed(2)} s`)
      }
      const ratios = own.map((seconds, i) => seconds / (engine[i] ?? Number.NaN))
      const common = { better: 'lower' as const }
      return [
        {
          name: 'deploy.ready_ratio',
          value: percentileOf(ratios, 50),
          unit: 'ratio',
          ...common,
          target: 1.5,
          reference: 1,
        },
        {
          name: 'deploy.ready_seconds',
          value: percentileOf(own, 50),
          unit: 's',
          ...common,
          target: null,
          reference: percentileOf(engine, 50),
        },
      ]
    }),
}

type Probe = { banner(address: string): Promise<bigint> }

async function startProbe(segment: Segment, cleanUp: CleanUp): Promise<Probe> {
  // An address that nobody has yet is asked for anew every 20 ms and not every second.
  segment.onNeighbour('sysctl', '-qw', 'net.ipv4.neigh.h0.retrans_time_ms=20')
  const script = join(import.meta.dirname, 'banner-probe.ts')
  const inside = ['netns', 'exec', segment.neighbour, process.execPath, script]
  const child: ChildProcess = spawn('ip', inside, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  cleanUp.add(() => end(child))
  await once(child, 'message')
  return {
    banner(address) {
      const answer = new Promise<bigint>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${address} did not answer within 60 s`)), 60_000)
        const listen = (message: unknown) => {
          const told = message as { address: string; at: string }
          if (told.address !== address) return
          clearTimeout(late)
          child.off('message', listen)
          resolve(BigInt(told.at))
        }
        child.on('message', listen)
        child.send({ address })
      })
      // Whoever asks may fail before it waits for the answer.
      answer.catch(() => undefined)
      return answer
    },
  }
}

type Appliance = {
  add(decoy: DesiredDecoy): Promise<void>
  begin(decoy: DesiredDecoy): void
  settled(): Promise<void>
  drop(decoy: DesiredDecoy): Promise<void>
}

async function startAppliance(segment: Segment, cleanUp: CleanUp): Promise<Appliance> {
  const agent = newId()
  const outside = { log: silentLog, clock: systemClock, random: systemRandom }
  const stateDir = await mkdtemp(join(tmpdir(), 'marshlight-bench-decoys-'))
  cleanUp.add(() => rm(stateDir, { recursive: true, force: true }))
  let settle: (revision: number) => void = () => {}
  const report: Report = async (_, records) => {
    for (const record of records) if (record.type === 'document') settle(record.revision)
  }
  const decoys: Decoys = makeDecoys({
    ...outside,
    engine: makeDockerEngine({ ...outside, socket: '/var/run/docker.sock', agentLabel: agent }),
    arp: makeArp(outside),
    report,
    stateDir,
    images,
    nics: async () => [{ nic: segment.nic, cidr: segment.cidr, address: segment.address }],
    agent,
    running: { arch: 'amd64' },
  })
  cleanUp.add(() => decoys.cleanup())
  await decoys.start(new AbortController().signal)
  cleanUp.add(() => decoys.stop())

  let revision = 0
  let wanted: DesiredDecoy[] = []
  let done = Promise.resolve()
  const begin = (some: DesiredDecoy[]) => {
    wanted = some
    revision++
    done = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the plan was not settled within 60 s')), 60_000)
      settle = (of) => {
        if (of !== revision) return
        clearTimeout(late)
        resolve()
      }
    })
    done.catch(() => undefined)
    decoys.applyPlan(planOf(agent, revision, wanted, [persona]))
  }
  return {
    begin: (decoy) => begin([...wanted, decoy]),
    settled: () => done,
    async add(decoy) {
      begin([...wanted, decoy])
      await done
    },
    async drop({ id }) {
      begin(wanted.filter((one) => one.id !== id))
      await done
    },
  }
}

async function ofAgent(appliance: Appliance, decoy: DesiredDecoy, probe: Probe): Promise<number> {
  const answered = probe.banner(decoy.ip)
  const began = process.hrtime.bigint()
  appliance.begin(decoy)
  const seconds = Number((await answered) - began) / 1e9
  await appliance.settled()
  await appliance.drop(decoy)
  return seconds
}

async function ofEngine(segment: Segment, decoy: DesiredDecoy, probe: Probe): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'marshlight-bench-hand-'))
  const folders = foldersOf(folder, decoy.id)
  await writeControl(folder, decoy.id, controlFiles(decoy, persona, 1))
  const tag = randomBytes(3).toString('hex')
  const [pod, service] = [`bench-deploy-${tag}-pod`, `bench-deploy-${tag}-cowrie`]
  const mount = (from: string, name: string, mode = '') => ['-v', `${from}:/marshlight/${name}${mode}`]
  const bare = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
  const control = mount(folders.control, 'control', ':ro')
  const sysctls = [
    `net.ipv4.ip_default_ttl=${persona.ttl}`,
    'net.ipv4.ip_unprivileged_port_start=0',
    'net.ipv6.conf.all.disable_ipv6=1',
  ]
  try {
    const answered = probe.banner(decoy.ip)
    const began = process.hrtime.bigint()
    await docker(
      ...['run', '-d', '--name', pod, '--network', networkName(segment.nic), '--ip', decoy.ip],
      // No MAC of its own: one client's way of giving it is another engine's error, and it costs no time.
      ...['--hostname', decoy.hostname, ...bare],
      ...['NET_ADMIN', 'SETUID', 'SETGID', 'SETPCAP'].flatMap((right) => ['--cap-add', right]),
      ...['--memory', '32m', '--pids-limit', '16', '--cpus', '0.25'],
      ...sysctls.flatMap((value) => ['--sysctl', value]),
      ...[...control, images.pod],
    )
    await docker(
      ...['run', '-d', '--name', service, '--network', `container:${pod}`, '--user', '2600:2600', ...bare],
      ...['--memory', `${limits.memoryMb}m`, '--pids-limit', `${limits.pids}`, '--cpus', `${limits.cpus}`],
      ...['--tmpfs', '/tmp:rw,noexec,nosuid,nodev,size=8m', ...control],
      ...[...mount(folders.out, 'out'), ...mount(folders.state, 'state'), images.cowrie],
    )
    return Number((await answered) - began) / 1e9
  } finally {
    await docker('rm', '-f', '-v', service, pod)
    await rm(folder, { recursive: true, force: true })
  }
}
