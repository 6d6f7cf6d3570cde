import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { canonicalCidr } from '../../shared/network.ts'
import type { DesiredDecoy } from '../../shared/schemas/desired-state.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { ContainerSpec, NetworkSpec } from '../engine/port.ts'
import type { Images, Nic } from './nic.ts'
import { podNetwork } from './pod-network.ts'

/** What the containers of a decoy are made from. Their labels tell whether a running one still is as it shall be. */

export type SpecDeps = { agent: string; images: Images; folder: string }
export type DecoySpecs = { network: NetworkSpec; pod: ContainerSpec; service: ContainerSpec }

/** The account that services run under in their images; it owns what they write. */
export const serviceUser = { uid: 2600, gid: 2600 }

export const networkName = (nic: string): string => `marshlight-${nic}`
export const podName = (decoy: string): string => `marshlight-${decoy}-pod`
export const serviceName = (decoy: string): string => `marshlight-${decoy}-cowrie`

export type Folders = { control: string; out: string; state: string }
export const foldersOf = (folder: string, decoy: string): Folders => ({
  control: join(folder, decoy, 'control'),
  out: join(folder, decoy, 'out'),
  state: join(folder, decoy, 'state'),
})

/**
 * The specifications of `desired` on the card `nic`. Of the persona they take only what a running container cannot
 * change: its network stack and which services it has.
 */
export function specsOf(desired: DesiredDecoy, persona: Persona, nic: Nic, deps: SpecDeps): DecoySpecs {
  const network = networkSpec(nic, deps.agent)
  const pod = podSpec(desired, network, podNetwork(persona).sysctls, deps)
  const services = [persona.ssh && 'ssh', persona.telnet && 'telnet'].filter(Boolean).join(',')
  return { network, pod, service: serviceSpec(desired, services, pod, deps) }
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
    memoryMb: 32,
    pids: 16,
    cpus: 0.25,
  })
}

function serviceSpec(desired: DesiredDecoy, services: string, pod: ContainerSpec, deps: SpecDeps): ContainerSpec {
  const { control, out, state } = foldersOf(deps.folder, desired.id)
  const { limits } = desired
  return labelled(desired, 'service', deps, {
    name: serviceName(desired.id),
    image: deps.images.cowrie,
    user: `${serviceUser.uid}:${serviceUser.gid}`,
    env: {
      MARSHLIGHT_MAX_CONNECTIONS: String(limits.connections),
      MARSHLIGHT_MAX_CONNECTIONS_PER_SOURCE: String(limits.connectionsPerSource),
      MARSHLIGHT_SERVICES: services,
      // A service lives in its pod's network, so a new pod needs a new service.
      MARSHLIGHT_POD: pod.labels['marshlight.spec'] ?? '',
    },
    network: { kind: 'pod', pod: pod.name },
    mounts: [
      { source: control, target: '/marshlight/control', readOnly: true },
      { source: out, target: '/marshlight/out', readOnly: false },
      { source: state, target: '/marshlight/state', readOnly: false },
    ],
    tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=8m' },
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
