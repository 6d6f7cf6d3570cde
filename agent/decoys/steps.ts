import type { ErrorCode, ErrorDetails } from '../../shared/errors.ts'
import type { ContainerSpec, NetworkSpec } from '../engine/port.ts'
import type { ControlFiles } from './control-files.ts'

/** What can be done, one each. A step may be done twice without harm. */
export type Step =
  | { do: 'ensureNetwork'; spec: NetworkSpec }
  | { do: 'checkAddress'; nic: string; ip: string }
  | { do: 'writeControl'; decoy: string; files: ControlFiles; digest: string }
  | { do: 'createPod'; spec: ContainerSpec }
  | { do: 'startPod'; name: string }
  | { do: 'createService'; spec: ContainerSpec }
  | { do: 'startService'; name: string }
  /** The packet filter of a pod as its egress file says, set and read back. */
  | { do: 'applyEgress'; decoy: string; pod: string; egress: string }
  | { do: 'stopService'; name: string }
  | { do: 'removeContainer'; id: string; name: string; because: string }
  | { do: 'removeNetwork'; name: string; because: string }
  /** The containers are gone: the entry is told so. */
  | { do: 'clear'; decoy: string }
  | { do: 'refuse'; code: ErrorCode; details: ErrorDetails }

/** Steps of one stage run side by side, stages one after another; what fails ends the work of that decoy. */
export type Work = { decoy: string; stages: Step[][] }

export type Steps = {
  works: Work[]
  /** Not of any decoy of the plan: strays and unused networks. */
  tidying: Step[]
  /** When to look again even if nothing happens, milliseconds since 1970. */
  wakeAt?: number
}
