import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { defaultGateways, parseResolvers, parseRoutes } from '../../shared/host-network.ts'
import type { Protected } from './rail.ts'

/** What this appliance lives by: its own addresses, its gateways, its resolvers. Blocking any of it would cut it off. */
export async function ownPlace(): Promise<Protected[]> {
  const [routes, resolvers] = await Promise.all([textOf('/proc/net/route'), textOf('/etc/resolv.conf')])
  return [
    { cidr: '127.0.0.0/8', why: 'loopback' },
    ...Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter((address) => address.family === 'IPv4')
      .map((address) => ({ cidr: `${address.address}/32`, why: 'an address of this appliance' })),
    ...defaultGateways(parseRoutes(routes)).map(({ gateway }) => ({ cidr: `${gateway}/32`, why: 'its gateway' })),
    ...parseResolvers(resolvers).map((ip) => ({ cidr: `${ip}/32`, why: 'its resolver' })),
  ]
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
