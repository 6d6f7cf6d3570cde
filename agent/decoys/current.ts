import type { Persona } from '../../shared/schemas/persona.ts'
import type { ObservedContainer, ObservedNetwork } from '../engine/port.ts'
import type { Entry } from './entry.ts'
import type { Nic } from './nic.ts'

/** What a service says of itself in `out/status.json`. */
export type Status = {
  personaId: string
  personaVersion: number
  revision: number
  /** It listens. */
  ready: boolean
  error?: string
  /** When the file was written, milliseconds since 1970. */
  writtenAt: number
}

/** One decoy as it is. */
export type CurrentDecoy = {
  pod?: ObservedContainer
  service?: ObservedContainer
  status?: Status
  /** Digest of the control files that stand there. */
  control?: string
  /** The packet filter that was set and read back by this process: see `filterMark`. */
  filter?: string
  /** Milliseconds without a heartbeat of the service that runs. */
  quietForMs?: number
}

/** Everything as it is, at one moment. */
export type Current = {
  decoys: Map<string, CurrentDecoy>
  entries: Map<string, Entry>
  networks: ObservedNetwork[]
  nics: Nic[]
  /** Containers of ours without a place in a decoy, and since when they have been seen so, by id. */
  strays: Map<string, { container: ObservedContainer; since: number }>
}

export type Personas = Map<string, Persona>

export const hasContainers = (decoy: CurrentDecoy | undefined): boolean =>
  decoy?.pod !== undefined || decoy?.service !== undefined

/** File times come from a clock that the kernel advances only with its ticks, 10 ms at most. */
const fileClockMs = 20

/** Whether the status is of the run of the service that goes on now. */
export const statusIsFresh = ({ service, status }: CurrentDecoy): boolean =>
  service?.running === true &&
  service.startedAt !== undefined &&
  (status?.writtenAt ?? 0) + fileClockMs >= Date.parse(service.startedAt)

/** Whether the decoy's services answer. */
export const answers = (decoy: CurrentDecoy): boolean =>
  decoy.pod?.running === true && statusIsFresh(decoy) && decoy.status?.ready === true && !outlivedPod(decoy)

/** A service that runs in the network of an earlier run of its pod: it is cut off, and has to start again. */
export const outlivedPod = ({ pod, service }: CurrentDecoy): boolean =>
  service?.running === true &&
  (pod?.running !== true || Date.parse(service.startedAt ?? '') < Date.parse(pod.startedAt ?? ''))
