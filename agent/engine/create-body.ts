import type Docker from 'dockerode'
import type { ContainerSpec, NetworkSpec } from './port.ts'
import serviceSyscalls from './service-syscalls.json' with { type: 'json' }

/** Whether the MAC address belongs to the endpoint (Engine API 1.44 on) or to the container (before). */
export function macPerEndpoint(apiVersion: string): boolean {
  const [major = 0, minor = 0] = apiVersion.split('.').map(Number)
  return major > 1 || (major === 1 && minor >= 44)
}

/** The body of a container's create call in the dialect of that API version. */
export function createBody(spec: ContainerSpec, apiVersion: string): Docker.ContainerCreateOptions {
  return {
    name: spec.name,
    Image: spec.image,
    Labels: spec.labels,
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    ...(spec.hostname !== undefined && { Hostname: spec.hostname }),
    ...(spec.user !== undefined && { User: spec.user }),
    ...(spec.command && { Cmd: spec.command }),
    ...(spec.entrypoint && { Entrypoint: spec.entrypoint }),
    ...networkBody(spec.network, macPerEndpoint(apiVersion)),
    HostConfig: {
      NetworkMode: networkMode(spec.network),
      ReadonlyRootfs: spec.readOnlyRoot,
      CapDrop: spec.capDrop,
      CapAdd: spec.capAdd,
      SecurityOpt: [
        'no-new-privileges',
        ...(spec.systemCalls === 'service' ? [`seccomp=${JSON.stringify(serviceSyscalls)}`] : []),
      ],
      Mounts: spec.mounts.map((mount) => ({
        Type: 'bind' as const,
        Source: mount.source,
        Target: mount.target,
        ReadOnly: mount.readOnly,
      })),
      Tmpfs: spec.tmpfs,
      // Sysctls of the network belong to the pod, which owns the namespace; the engine refuses them elsewhere.
      ...(Object.keys(spec.sysctls).length > 0 && { Sysctls: spec.sysctls }),
      Memory: spec.memoryMb * 1024 * 1024,
      // As much swap as memory in all, that is none beyond it: an appliance's card is not worn out by a decoy.
      MemorySwap: spec.memoryMb * 1024 * 1024,
      PidsLimit: spec.pids,
      NanoCpus: Math.round(spec.cpus * 1e9),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
      // Restarts are counted and spaced by the agent, so that they can be told; the engine does none by itself.
      RestartPolicy: { Name: 'no' },
    },
  }
}

/** The body of a macvlan network's create call. */
export function networkCreateBody(spec: NetworkSpec): Docker.NetworkCreateOptions {
  const known = spec.gateway !== undefined
  return {
    Name: spec.name,
    Driver: 'macvlan',
    CheckDuplicate: true,
    // The engine always takes some address as the gateway: the first one, if none is named. An internal network gives
    // it to nobody as a route, and naming the card's own keeps just that one, which no decoy may have anyway.
    Internal: !known,
    IPAM: {
      Driver: 'default',
      Config: [
        {
          Subnet: spec.cidr,
          Gateway: spec.gateway ?? spec.address,
          ...(known && spec.gateway !== spec.address && { AuxiliaryAddresses: { appliance: spec.address } }),
        },
      ],
    },
    Options: { parent: spec.parent, macvlan_mode: 'bridge' },
    Labels: spec.labels,
  }
}

const networkMode = (network: ContainerSpec['network']): string =>
  network.kind === 'macvlan' ? network.network : network.kind === 'pod' ? `container:${network.pod}` : 'none'

function networkBody(network: ContainerSpec['network'], perEndpoint: boolean): Partial<Docker.ContainerCreateOptions> {
  if (network.kind !== 'macvlan') return {}
  const endpoint = { IPAMConfig: { IPv4Address: network.ip }, ...(perEndpoint && { MacAddress: network.mac }) }
  return {
    ...(!perEndpoint && { MacAddress: network.mac }),
    NetworkingConfig: { EndpointsConfig: { [network.network]: endpoint } },
  }
}
