import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { canonicalCidr } from '../../shared/network.ts'
import type { DesiredDecoy, ServiceContainer } from '../../shared/schemas/desired-state.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { ContainerSpec, NetworkSpec } from '../engine/port.ts'
import type { Images, Nic } from './nic.ts'
import { podNetwork } from './pod-network.ts'

/** What the containers of a decoy are made from. Their labels tell whether a running one still is as it shall be. */

export type SpecDeps = { agent: string; images: Images; folder: string }
export type ServiceSpec = { name: ServiceContainer; spec: ContainerSpec }
export type DecoySpecs = { network: NetworkSpec; pod: ContainerSpec; services: ServiceSpec[] }

/** The account that services run under in their images; it owns what they write. */
export const serviceUser = { uid: 2600, gid: 2600 }
/**
 * Where a service of this container shows that it lives: in memory, so that a card is not written to every five seconds, and
 * so little of it that nobody can fill anything. It is seen through the container's process (`heartbeats.ts`). It is the
 * service's own: at another start of the container runc gives the mount the mode of the folder it finds below, root's 0755.
 */
const alive = {
  '/marshlight/alive': `rw,noexec,nosuid,nodev,size=4k,nr_inodes=2,uid=${serviceUser.uid},gid=${serviceUser.gid},mode=755`,
}
/** What all further services of a decoy together may use, and its web servers: about four times what they do. */
const servicesMemoryMb = 96
const webMemoryMb = 128

export const networkName = (nic: string): string => `marshlight-${nic}`
export const podName = (decoy: string): string => `marshlight-${decoy}-pod`
export const serviceName = (decoy: string, service: ServiceContainer): string => `marshlight-${decoy}-${service}`

export type Folders = { control: string; out: string; state: string }
/** Services read the same control files; what each writes, no other can reach. */
export function foldersOf(folder: string, decoy: string, service: ServiceContainer = 'cowrie'): Folders {
  const own = service === 'cowrie' ? join(folder, decoy) : join(folder, decoy, service)
  return { control: join(folder, decoy, 'control'), out: join(own, 'out'), state: join(own, 'state') }
}

/**
 * The specifications of `desired` on the card `nic`. Of the persona they take only what a running container cannot
 * change: its network stack and which services it has.
 */
export function specsOf(desired: DesiredDecoy, persona: Persona, nic: Nic, deps: SpecDeps): DecoySpecs {
  const network = networkSpec(nic, deps.agent)
  const pod = podSpec(desired, network, podNetwork(persona).sysctls, deps)
  const made: Record<ServiceContainer, () => ContainerSpec> = {
    cowrie: () => cowrieSpec(desired, persona, pod, deps),
    services: () => servicesSpec(desired, pod, deps),
    web: () => webSpec(desired, pod, deps),
  }
  return { network, pod, services: desired.services.map((name) => ({ name, spec: made[name]() })) }
}

function networkSpec(nic: Nic, agent: string): NetworkSpec {
  const spec = {
    name: networkName(nic.nic),
    cidr: canonicalCidr(nic.cidr),
    parent: nic.nic,
    ...(nic.gateway !== undefined && { gateway: nic.gateway }),
  }
  const labels = {
    'marshlight.agent': agent,
    'marshlight.spec': hashOf(spec),
    ...(nic.gateway !== undefined && { 'marshlight.gateway': nic.gateway }),
  }
  // Another address of the card alone is no reason to make every decoy anew.
  return { ...spec, address: nic.address, labels }
}

function podSpec(
  desired: DesiredDecoy,
  network: NetworkSpec,
  sysctls: Record<string, string>,
  deps: SpecDeps,
): ContainerSpec {
  const { control } = foldersOf(deps.folder, desired.id)
  return labelled(desired, 'pod', deps, {
    name: podName(desired.id),
    image: deps.images.pod,
    hostname: desired.hostname,
    env: { MARSHLIGHT_NETWORK: network.labels['marshlight.spec'] ?? '' },
    network: { kind: 'macvlan', network: network.name, ip: desired.ip, mac: desired.mac },
    mounts: [{ source: control, target: '/marshlight/control', readOnly: true }],
    tmpfs: {},
    sysctls,
    readOnlyRoot: true,
    capDrop: ['ALL'],
    // To set the packet filter and then become nobody; what stays running has none of them.
    capAdd: ['NET_ADMIN', 'SETPCAP', 'SETUID', 'SETGID'],
    // Drift and mimicry are a Python each, 10 MB of their own, and so is what applies the rules meanwhile.
    memoryMb: 64,
    pids: 16,
    cpus: 0.25,
  })
}

function cowrieSpec(desired: DesiredDecoy, persona: Persona, pod: ContainerSpec, deps: SpecDeps): ContainerSpec {
  const { control, out, state } = foldersOf(deps.folder, desired.id)
  const { limits } = desired
  return labelled(desired, 'service', deps, {
    name: serviceName(desired.id, 'cowrie'),
    image: deps.images.cowrie,
    user: `${serviceUser.uid}:${serviceUser.gid}`,
    env: {
      MARSHLIGHT_MAX_CONNECTIONS: String(limits.connections),
      MARSHLIGHT_MAX_CONNECTIONS_PER_SOURCE: String(limits.connectionsPerSource),
      MARSHLIGHT_SERVICES: [persona.ssh && 'ssh', persona.telnet && 'telnet'].filter(Boolean).join(','),
      // A service lives in its pod's network, so a new pod needs a new service.
      MARSHLIGHT_POD: pod.labels['marshlight.spec'] ?? '',
    },
    network: { kind: 'pod', pod: pod.name },
    mounts: [
      { source: control, target: '/marshlight/control', readOnly: true },
      { source: out, target: '/marshlight/out', readOnly: false },
      { source: state, target: '/marshlight/state', readOnly: false },
    ],
    tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=8m', ...alive },
    sysctls: {},
    readOnlyRoot: true,
    systemCalls: 'service',
    capDrop: ['ALL'],
    capAdd: [],
    memoryMb: limits.memoryMb,
    pids: limits.pids,
    cpus: limits.cpus,
  })
}

/** Which services there are, and on which ports, is in the persona, which the container follows by itself. */
const servicesSpec = (desired: DesiredDecoy, pod: ContainerSpec, deps: SpecDeps): ContainerSpec =>
  furtherSpec(desired, pod, deps, {
    name: 'services',
    // What a real server plays beside it is left to that one.
    env: desired.services.includes('web') ? { MARSHLIGHT_BESIDE: 'web' } : {},
    tmpfs: {},
    memoryMb: servicesMemoryMb,
    pids: Math.min(desired.limits.pids, 16),
  })

/** A server of its own for nginx and for Apache; the latter answers by threads. Their files are made from the persona. */
const webSpec = (desired: DesiredDecoy, pod: ContainerSpec, deps: SpecDeps): ContainerSpec =>
  furtherSpec(desired, pod, deps, {
    name: 'web',
    env: {},
    tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=8m' },
    memoryMb: webMemoryMb,
    pids: 64,
  })

type Further = Pick<ContainerSpec, 'env' | 'tmpfs' | 'memoryMb' | 'pids'> & { name: 'services' | 'web' }

function furtherSpec(desired: DesiredDecoy, pod: ContainerSpec, deps: SpecDeps, own: Further): ContainerSpec {
  const { control, out, state } = foldersOf(deps.folder, desired.id, own.name)
  const { limits } = desired
  const spec = labelled(desired, 'service', deps, {
    name: serviceName(desired.id, own.name),
    image: deps.images[own.name],
    user: `${serviceUser.uid}:${serviceUser.gid}`,
    env: {
      MARSHLIGHT_MAX_CONNECTIONS: String(limits.connections),
      MARSHLIGHT_MAX_CONNECTIONS_PER_SOURCE: String(limits.connectionsPerSource),
      MARSHLIGHT_POD: pod.labels['marshlight.spec'] ?? '',
      ...own.env,
    },
    network: { kind: 'pod', pod: pod.name },
    mounts: [
      { source: control, target: '/marshlight/control', readOnly: true },
      { source: out, target: '/marshlight/out', readOnly: false },
      { source: state, target: '/marshlight/state', readOnly: false },
    ],
    tmpfs: { ...own.tmpfs, ...alive },
    sysctls: {},
    readOnlyRoot: true,
    systemCalls: 'service',
    capDrop: ['ALL'],
    capAdd: [],
    memoryMb: Math.min(limits.memoryMb, own.memoryMb),
    pids: own.pids,
    cpus: limits.cpus,
  })
  return { ...spec, labels: { ...spec.labels, 'marshlight.service': own.name } }
}

function labelled(
  desired: DesiredDecoy,
  kind: 'pod' | 'service',
  deps: SpecDeps,
  spec: Omit<ContainerSpec, 'labels'>,
): ContainerSpec {
  const labels = {
    'marshlight.agent': deps.agent,
    'marshlight.decoy': desired.id,
    'marshlight.kind': kind,
    'marshlight.spec': hashOf(spec),
  }
  return { ...spec, labels }
}

/** Specifications are built in one order of keys, so their JSON tells them apart. */
const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32)
