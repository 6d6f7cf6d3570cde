import type { Clock } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Plan, Request } from '../../shared/schemas/desired-state.ts'
import type { HostSeen } from '../../shared/schemas/inventory.ts'
import type { Report } from '../spool/port.ts'
import type { Nic, NicFilter } from './interfaces.ts'
import type { FindNames } from './names.ts'
import type { Nmap } from './nmap-run.ts'

export type ScanRequest = Extract<Request['op'], { name: 'scan' | 'scan.cancel' | 'full-picture' }>

export type ScannerOptions = {
  report: Report
  clock: Clock
  random: Random
  log: Log
  /** The decoys of this appliance: not hosts, and not scanned. */
  ownDecoys: () => { ip: string; mac: string }[]
  nicFilter?: NicFilter
  stateDir: string
  nmap?: Nmap
  names?: FindNames
  readNics?: (filter: NicFilter) => Promise<Nic[]>
}

export interface Scanner extends Part {
  /** The policy to scan by from now on. Before the first, nothing is scanned. */
  applyPlan(plan: Plan): void
  /** Serves a one-shot request; answers when it has begun, not when it is through. Throws a MarshlightError to refuse it. */
  request(op: ScanRequest, requestId?: string): Promise<Record<string, unknown>>
  /** The hosts that are known of all segments, as they were last seen. */
  hosts(): HostSeen[]
  /** The cards of this machine that stand in a segment. */
  interfaces(): Promise<Nic[]>
  /** Forgets what was learnt. Call it stopped. */
  cleanup(): Promise<void>
}
