import type { ServiceContainer } from './schemas/desired-state.ts'
import type { Persona, PersonaService, ServiceKind } from './schemas/persona.ts'
import { containerOf } from './services.ts'

/**
 * How services say that they are busy, in the words of their protocols: who asks, or who connects where only the beginning of
 * a connection has such a word. The others have none, or are real servers that say it when they are; those can only be late.
 */
const words: Partial<Record<ServiceKind, string>> = {
  http: 'as 503 with Retry-After',
  https: 'as 503 with Retry-After',
  winrm: 'as 503 with Retry-After',
  rtsp: 'as 503 with Retry-After',
  modbus: 'as exception 6, server busy',
  ftp: 'as 421 to who connects',
  mysql: 'as error 1040 to who connects',
  postgres: 'as FATAL 53300 to who connects',
  redis: 'as an error to who connects',
  mqtt: 'as CONNACK, server unavailable',
}

/** What this service of a decoy says where it is busy; undefined where it says nothing. `containers`: those of the decoy. */
export const busyWords = (service: PersonaService, containers: readonly ServiceContainer[]): string | undefined =>
  containers.includes('web') && containerOf(service) === 'web' ? undefined : words[service.kind]

/** Ports of those that say it themselves, for the decoy: nothing waits there in their stead. */
export const saysBusy = (
  { services = [] }: Pick<Persona, 'services'>,
  containers: readonly ServiceContainer[],
): number[] => services.filter((one) => busyWords(one, containers) !== undefined).map(({ port }) => port)
