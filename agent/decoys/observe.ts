import { contains } from '../../shared/network.ts'
import type { Engine, ObservedContainer, ObservedNetwork } from '../engine/port.ts'
import { digestOnDisk, filterMark } from './control-files.ts'
import type { Current, CurrentDecoy } from './current.ts'
import type { Entry } from './entry.ts'
import type { makeHeartbeats } from './heartbeats.ts'
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
    else place(decoys, decoy, kind === 'pod' ? 'pod' : 'service', container)
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

function place(
  decoys: Map<string, CurrentDecoy>,
  decoy: string,
  kind: 'pod' | 'service',
  container: ObservedContainer,
) {
  decoys.set(decoy, { ...decoys.get(decoy), [kind]: container })
}

async function readFiles(deps: ObserveDeps, id: string, decoys: Map<string, CurrentDecoy>): Promise<void> {
  const { control, out } = foldersOf(deps.folder, id)
  if (!deps.controls.has(id)) deps.controls.set(id, await digestOnDisk(control))
  const digest = deps.controls.get(id)
  const seen = decoys.get(id)
  // Without containers the files say nothing of a decoy that is there.
  if (!seen) {
    if (digest !== undefined) decoys.set(id, { control: digest })
    return
  }
  const status = await readStatus(out)
  const filter = filterOf(deps, id, seen)
  const run = seen.service?.running ? seen.service.startedAt : undefined
  const quietForMs = run === undefined ? undefined : await deps.heartbeats.quietFor(id, out, run)
  decoys.set(id, {
    ...seen,
    ...(status && { status }),
    ...(digest !== undefined && { control: digest }),
    ...(filter !== undefined && { filter }),
    ...(quietForMs !== undefined && { quietForMs }),
  })
}

/** A filter belongs to the run of the pod that is seen first after it was set; a later run has to get it anew. */
function filterOf(deps: ObserveDeps, id: string, { pod }: CurrentDecoy): string | undefined {
  const set = deps.filters.get(id)
  if (!set || !pod?.running) return undefined
  set.mark ??= filterMark(set.egress, pod)
  return set.mark
}
