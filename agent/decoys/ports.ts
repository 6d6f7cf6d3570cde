import type { Clock } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { DesiredDecoy, Plan, ServiceContainer } from '../../shared/schemas/desired-state.ts'
import type { DecoyState } from '../../shared/schemas/state.ts'
import type { Running } from '../../shared/schemas/update.ts'
import type { Engine } from '../engine/port.ts'
import type { Report } from '../spool/port.ts'
import type { Arp } from './arp.ts'
import type { Images, Nic } from './nic.ts'

export type DecoysDeps = {
  engine: Engine
  arp: Arp
  report: Report
  clock: Clock
  random: Random
  log: Log
  /** The agent's state folder; decoys live below `decoys/`. */
  stateDir: string
  images: Images
  /** The agent and the system that make decoys of them; another of either may make what this one cannot. */
  running: Running
  /** Cards of this machine, as they are now. */
  nics: () => Promise<Nic[]>
  /** The agent's id. */
  agent: string
}

export type DecoysOptions = {
  attempts?: number
  firstRetryMs?: number
  strayGraceMs?: number
  readyWithinMs?: number
  /** Decoys that are worked on at the same time. */
  atOnce?: number
  probeEveryMs?: number
  /** Looked at least so often, whatever happens. */
  lookEveryMs?: number
}

/** Where the events of one container of a decoy are. `gone`: it was removed; its folder waits until the events are in the spool. */
export type EventSource = {
  /** The decoy's. */
  id: string
  service: ServiceContainer
  outDir: string
  persona: string
  personaVersion: number
  revision: number
  gone: boolean
}

/** The run of a pod: another `run` is another network, whatever its process is called. */
export type PodRun = { decoy: string; pid: number; run: string }

export interface Decoys extends Part {
  /** Takes effect at once, in the background; the outcome is reported. */
  applyPlan(plan: Plan): void
  list(): DecoyState[]
  /** Decoys that are at rest and may run, with what the plan lets them reach. */
  standing(): { decoy: string; ip: string; gateway?: string; egress: DesiredDecoy['egress'] }[]
  /** Stops its containers at once; it stays away until an administrator releases it. */
  takeDown(decoy: string, reason: string): Promise<void>
  /** Pods that run now. */
  pods(): PodRun[]
  /** Addresses and MACs that decoys of this agent have or are about to have: not hosts. */
  ownAddresses(): { ip: string; mac: string }[]
  sources(): EventSource[]
  /** The events of a removed decoy are safe: its folder goes. */
  release(decoy: string): Promise<void>
  /** Removes every container, network and file of ours. Needs no plan and no start. */
  cleanup(): Promise<{ containers: number; networks: number }>
}
