import { contains } from '../../shared/network.ts'
import { type ServiceContainer, serviceContainer } from '../../shared/schemas/desired-state.ts'
import type { Engine, ObservedContainer, ObservedNetwork } from '../engine/port.ts'
import { digestOnDisk, filterMark } from './control-files.ts'
import { type Current, type CurrentDecoy, type CurrentService, nothingSeen } from './current.ts'
import type { Entry } from './entry.ts'
import { beatPlaces, type makeHeartbeats } from './heartbeats.ts'
import type { Nic } from './nic.ts'
import { foldersOf, networkName } from './specs.ts'
import { readStatus } from './status-files.ts'

export type ObserveDeps = {
  engine: Engine
  nics: () => Promise<Nic[]>
  folder: string
  /** Digests of control files, so that they are read once and not at each look. */
  controls: Map<string, string | undefined>
  /** Egress rules last set, by decoy, and the mark of the pod they were set in once that is known. */
  filters: Map<string, { egress: string; mark?: string }>
  heartbeats: ReturnType<typeof makeHeartbeats>
  /** Since when strays have been seen, by container id; kept up to date here. */
  strays: Map<string, number>
}

/** Everything as it is now. Throws DOCKER_UNREACHABLE. */
export async function observe(deps: ObserveDeps, entries: Map<string, Entry>, now: number): Promise<Current> {
  const [containers, networks, cards] = await Promise.all([
    deps.engine.containers(),
    deps.engine.networks(),
    deps.nics(),
  ])
  const nics = cards.map((nic) => withLastGateway(nic, networks))
  const decoys = new Map<string, CurrentDecoy>()
  const strays: Current['strays'] = new Map()
  for (const container of containers) {
    const { 'marshlight.decoy': decoy = '', 'marshlight.kind': kind } = container.labels
    if (!entries.has(decoy)) strays.set(container.id, { container, since: since(deps, container, now) })
    else place(decoys, entries, decoy, kind === 'pod' ? 'pod' : roleOf(container), container)
  }
  for (const id of deps.strays.keys()) if (!strays.has(id)) deps.strays.delete(id)
  await Promise.all([...entries.keys()].map((id) => readFiles(deps, id, decoys)))
  return { decoys, entries, networks, nics, strays }
}

/** A card that lost its gateway for a while (its lease ran out) keeps the one that its network was made with. */
function withLastGateway(nic: Nic, networks: readonly ObservedNetwork[]): Nic {
  if (nic.gateway !== undefined) return nic
  const gateway = networks.find(({ name }) => name === networkName(nic.nic))?.labels['marshlight.gateway']
  return gateway !== undefined && contains(nic.cidr, gateway) ? { ...nic, gateway } : nic
}

function since(deps: ObserveDeps, { id }: ObservedContainer, now: number): number {
  const known = deps.strays.get(id) ?? now
  deps.strays.set(id, known)
  return known
}

/** Cowrie's bears no such label: once it was the only one. */
const roleOf = ({ labels }: ObservedContainer): ServiceContainer =>
  serviceContainer.options.find((one) => one === labels['marshlight.service']) ?? 'cowrie'

function place(
  decoys: Map<string, CurrentDecoy>,
  entries: Map<string, Entry>,
  decoy: string,
  role: 'pod' | ServiceContainer,
  container: ObservedContainer,
) {
  const known = decoys.get(decoy) ?? { services: {}, wanted: entries.get(decoy)?.services ?? [] }
  if (role === 'pod') known.pod = container
  else known.services[role] = { service: container }
  decoys.set(decoy, known)
}

async function readFiles(deps: ObserveDeps, id: string, decoys: Map<string, CurrentDecoy>): Promise<void> {
  const { control } = foldersOf(deps.folder, id)
  if (!deps.controls.has(id)) deps.controls.set(id, await digestOnDisk(control))
  const digest = deps.controls.get(id)
  const seen = decoys.get(id)
  // Without containers the files say nothing of a decoy that is there.
  if (!seen) {
    if (digest !== undefined) decoys.set(id, { ...nothingSeen, control: digest })
    return
  }
  for (const name of seen.wanted) {
    const there = seen.services[name]
    if (there) seen.services[name] = { ...there, ...(await saidBy(deps, id, name, there.service)) }
  }
  const filter = filterOf(deps, id, seen)
  decoys.set(id, {
    ...seen,
    ...(digest !== undefined && { control: digest }),
    ...(filter !== undefined && { filter }),
  })
}

/** What a service says of itself, and how long it has been quiet. */
async function saidBy(
  deps: ObserveDeps,
  id: string,
  name: ServiceContainer,
  service: ObservedContainer | undefined,
): Promise<CurrentService> {
  const { out } = foldersOf(deps.folder, id, name)
  const status = await readStatus(out)
  const run = service?.running ? service.startedAt : undefined
  const places = beatPlaces(out, service?.pid)
  const quietForMs = run === undefined ? undefined : await deps.heartbeats.quietFor(`${id} ${name}`, places, run)
  return { ...(status && { status }), ...(quietForMs !== undefined && { quietForMs }) }
}

/** A filter belongs to the run of the pod that is seen first after it was set; a later run has to get it anew. */
function filterOf(deps: ObserveDeps, id: string, { pod }: CurrentDecoy): string | undefined {
  const set = deps.filters.get(id)
  if (!set || !pod?.running) return undefined
  set.mark ??= filterMark(set.egress, pod)
  return set.mark
}
