import { createHash } from 'node:crypto'
import Docker from 'dockerode'
import { imageArchives } from '../../../provisioning/build/archive.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { docker, type Ended, run, wordsIn } from './docker.ts'
import { type LabLayout, type LabMachine, layoutAt } from './layout.ts'
import { containerName, copyIn, type MachineOptions, startMachine } from './machines.ts'
import { createNetworks, freePlace, labLabel, removeNetworks } from './networks.ts'
import { refuseTargetsOutside } from './targets.ts'

export type { Ended } from './docker.ts'
export type { LabLayout, LabMachine, LabSegment, Role, SegmentName, Service } from './layout.ts'

export type LabOptions = {
  /** Name of the lab: the prefix of its containers and the value of their label. */
  name: string
  /** Which machines; all when left out. The gateway always comes. */
  only?: (machine: LabMachine) => boolean
  agents?: MachineOptions['agents']
  /** Settings laid over those of `marshlight init`. */
  controllerConfig?: (layout: LabLayout) => Record<string, unknown>
  /** Leaves the appliances' image stores of an earlier run in place. */
  keepImages?: boolean
  /** Ends the setting up: what was begun is finished, then all of it is removed, and `up` throws the signal's reason. */
  signal?: AbortSignal
  /** Called when something starts that a person may have to wait for. */
  progress?: (what: string) => void
}

export type ExecOptions = { stdin?: string; timeoutMs?: number; detach?: boolean }

export type Lab = LabLayout & {
  name: string
  /** Real hosts with their services, for comparison with what a scan found; without gateway, appliances, attackers. */
  hosts(segment?: string): LabMachine[]
  machine(name: string): LabMachine
  /** Runs a command in a machine. A command past its time ends with code 124. Attackers may name targets of the lab only. */
  exec(machine: string, argv: readonly string[], options?: ExecOptions): Promise<Ended>
  /** Writes a file into a machine, readable by root alone. */
  putFile(machine: string, path: string, content: string): Promise<void>
  logs(machine: string, lines?: number): Promise<string>
  restart(machine: string): Promise<void>
  down(): Promise<void>
}

const together = 4
const defaultTimeoutMs = 60_000

/** Makes networks and machines and starts them. Services may still be starting when it returns. Removes all if one fails. */
export async function up(options: LabOptions): Promise<Lab> {
  const { name, only, agents = 'run', controllerConfig, keepImages = false, signal, progress = () => {} } = options
  signal?.throwIfAborted()
  await down(name, { keepImages })
  const all = layoutAt(await freePlace())
  const machines = all.machines.filter((machine) => machine.role === 'gateway' || !only || only(machine))
  const layout: LabLayout = { ...all, machines: machines.map((machine) => ({ ...machine })) }
  try {
    progress('networks')
    await createNetworks(name, layout)
    const waiting = [...layout.machines]
    const settings: MachineOptions = {
      engine: new Docker(),
      lab: name,
      layout: all,
      agents,
      imageArchives: imageArchives(),
      ...(controllerConfig && { controllerConfig: controllerConfig(all) }),
    }
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        signal?.throwIfAborted()
        progress(`${next.role} ${next.name}`)
        await startMachine(next, settings)
      }
    }
    // All must have ended before anything is removed: one that still starts would leave its machine behind.
    const ends = await Promise.allSettled(
      Array.from({ length: together }, () =>
        work().catch((error: unknown) => {
          waiting.length = 0
          throw error
        }),
      ),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    signal?.throwIfAborted()
  } catch (error) {
    await down(name)
    throw error
  }
  return labOf(name, layout)
}

function labOf(name: string, layout: LabLayout): Lab {
  const machine = (wanted: string) => {
    const found = layout.machines.find((each) => each.name === wanted)
    if (!found) throw new MarshlightError('NOT_FOUND', { kind: 'machine', value: wanted, command: 'docker ps' })
    return found
  }
  return {
    ...layout,
    name,
    machine,
    hosts: (segment) =>
      layout.machines.filter((each) => each.role === 'host' && (segment === undefined || each.segment === segment)),
    async exec(target, argv, { stdin, timeoutMs = defaultTimeoutMs, detach = false } = {}) {
      if (machine(target).role === 'attacker') refuseTargetsOutside(argv)
      // The limit holds inside: ending the docker command alone would leave the process running in the machine.
      const limited = ['timeout', '-k', '2', String(timeoutMs / 1000), ...argv]
      const flags = [...(stdin === undefined ? [] : ['-i']), ...(detach ? ['-d'] : [])]
      return run('docker', ['exec', ...flags, containerName(name, target), ...limited], {
        timeoutMs: timeoutMs + 10_000,
        ...(stdin !== undefined && { stdin }),
      })
    },
    putFile: (target, path, content) => copyIn(containerName(name, machine(target).name), path, content),
    async logs(target, lines = 50) {
      const { stdout, stderr } = await run('docker', ['logs', '--tail', String(lines), containerName(name, target)])
      return stdout + stderr
    },
    async restart(target) {
      await docker('restart', '-t', '3', containerName(name, machine(target).name))
    },
    down: () => down(name),
  }
}

/**
 * Removes every trace of a lab: machines, volumes, networks, rules. Does nothing when there is none. With `keepImages` the
 * appliances' image stores stay, so that the next lab of this name need not load them.
 */
export async function down(name: string, { keepImages = false } = {}): Promise<void> {
  const label = `label=${labLabel}=${name}`
  const containers = wordsIn(await docker('ps', '-aq', '--filter', label))
  if (containers.length > 0) await docker('rm', '-f', '-v', ...containers)
  // Volumes are named after the lab: they outlive their containers, and so does what an earlier run kept.
  const volumes = wordsIn(await docker('volume', 'ls', '-q', '--filter', `name=^${name}-`))
  const going = volumes.filter((volume) => !(keepImages && volume.endsWith('-engine')))
  if (going.length > 0) await docker('volume', 'rm', '-f', ...going)
  await removeNetworks(name)
}

/** A name for a lab of its own, from a seed such as a test's file and process. */
export const labName = (seed: string) => `ml-${createHash('sha256').update(seed).digest('hex').slice(0, 6)}`
