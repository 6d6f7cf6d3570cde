import type { Clock } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { PodRun } from '../decoys/ports.ts'
import type { Report } from '../spool/port.ts'
import type { startDump } from './dump.ts'

export type CaptureDeps = {
  /** Pods that run now. */
  pods: () => readonly PodRun[]
  report: Report
  clock: Clock
  random: Random
  log: Log
  /** The agent's state folder; rings live below `capture/`. */
  stateDir: string
  /** Bytes that the disk of a folder can still take. */
  freeBytes?: (folder: string) => Promise<number>
  startDump?: typeof startDump
}

export interface Capture extends Part {
  /** Takes effect within a second. */
  applyPlan(plan: Plan): void
  /** Ids of the processes that capture. */
  processes(): number[]
}
