import type { Clock } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { PodRun } from '../decoys/ports.ts'
import type { Report, Spool } from '../spool/port.ts'
import type { startDump } from './dump.ts'
import type { CaptureWish } from './fetch.ts'

export type CaptureDeps = {
  /** Pods that run now. */
  pods: () => readonly PodRun[]
  report: Report
  spool: Pick<Spool, 'append' | 'standing'>
  clock: Clock
  random: Random
  log: Log
  /** The agent's state folder; rings live below `capture/`. */
  stateDir: string
  /** Bytes that the disk of a folder can still take. */
  freeBytes?: (folder: string) => Promise<number>
  startDump?: typeof startDump
  /** Whether it was an audit or a test touch of ours that a decoy spoke with: in the ring, and in no feature. */
  isOwnLook?: (decoy: string, address: number, port: number, at: number) => boolean
}

/** `unlooked`: decoys that run and whose traffic is not seen. `missed`: packets since the agent began to look. */
export type CaptureStanding = {
  decoys: number
  unlooked: number
  missed: number
  /** Rings that cannot be written now, and bytes of packets that they did not keep. */
  rings: { decoy: string; why: string }[]
  unwritten: number
}

export interface Capture extends Part {
  /** Takes effect within a second. */
  applyPlan(plan: Plan): void
  /** A part of a ring as one file, on its way up when this resolves. Throws CONFLICT, NOT_FOUND. */
  fetch(wish: CaptureWish): Promise<Record<string, unknown>>
  standing(): CaptureStanding
  /** Ids of the processes that capture. */
  processes(): number[]
}
