import type { ServiceContainer } from '../../shared/schemas/desired-state.ts'
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

/** One container in the network of a pod, as it is. */
export type CurrentService = {
  service?: ObservedContainer
  status?: Status
  /** Milliseconds without a heartbeat of the service that runs. */
  quietForMs?: number
}

/** One decoy as it is. */
export type CurrentDecoy = {
  pod?: ObservedContainer
  services: Partial<Record<ServiceContainer, CurrentService>>
  /** Which containers it shall have. */
  wanted: readonly ServiceContainer[]
  /** Digest of the control files that stand there. */
  control?: string
  /** The packet filter that was set and read back by this process: see `filterMark`. */
  filter?: string
}

export const nothingSeen: CurrentDecoy = { services: {}, wanted: [] }

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

export const hasContainers = (decoy: CurrentDecoy = nothingSeen): boolean => containersIn(decoy).length > 0

/** Services before the pod whose network they live in. */
export const containersIn = ({ pod, services }: CurrentDecoy): ObservedContainer[] => [
  ...Object.values(services).flatMap(({ service }) => (service ? [service] : [])),
  ...(pod ? [pod] : []),
]

/** File times come from a clock that the kernel advances only with its ticks, 10 ms at most. */
const fileClockMs = 20

/** Whether the status is of the run of the service that goes on now. */
export const statusIsFresh = ({ service, status }: CurrentService): boolean =>
  service?.running === true &&
  service.startedAt !== undefined &&
  (status?.writtenAt ?? 0) + fileClockMs >= Date.parse(service.startedAt)

/** What the services that it shall have say of themselves; undefined of one that is not there. */
export const playing = ({ services, wanted }: CurrentDecoy): (CurrentService | undefined)[] =>
  wanted.map((name) => services[name])

/** Whether all services of the decoy answer. */
export const answers = (decoy: CurrentDecoy): boolean =>
  decoy.pod?.running === true &&
  decoy.wanted.length > 0 &&
  playing(decoy).every((one) => one && statusIsFresh(one) && one.status?.ready === true && !outlivedPod(decoy, one))

/** A service that runs in the network of an earlier run of its pod: it is cut off, and has to start again. */
export const outlivedPod = ({ pod }: CurrentDecoy, { service }: CurrentService): boolean =>
  service?.running === true &&
  (pod?.running !== true || Date.parse(service.startedAt ?? '') < Date.parse(pod.startedAt ?? ''))

/** The last start among its services; empty where none was started. */
export function lastStart({ services }: CurrentDecoy): string {
  const starts = Object.values(services).map(({ service }) => service?.startedAt ?? '')
  return starts.reduce(
    (last, start) => ((Date.parse(start) || 0) > (Date.parse(last) || 0) ? start : last),
    starts[0] ?? '',
  )
}
