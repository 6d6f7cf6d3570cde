import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { ControllerConfig } from '../config.ts'
import type { Sql } from '../store/port.ts'
import type { Protected } from './rails.ts'

type Options = { config: Pick<ControllerConfig, 'neverBlock' | 'publicHost'>; ownAddresses: () => readonly string[] }
type Place = { agent: string; name: string; address: string | null; gateway: string | null; dns: string | null }

/** The controller's addresses in the networks of this machine; loopback is no address anyone attacks from. */
export const machineAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((cards) => cards ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)

/** Everything the fleet must never block. */
export async function protectedAddresses(sql: Sql, options: Options): Promise<Protected[]> {
  const places = await sql.all<Place>(
    `SELECT s.agent, a.name, s.address, s.gateway, s.dns FROM agent_segments s JOIN agents a ON a.id = s.agent WHERE a.status = 'enrolled'`,
  )
  const segments = await sql.all<{ name: string; gateway: string }>(
    'SELECT name, gateway FROM segments WHERE gateway IS NOT NULL',
  )
  const decoys = await sql.all<{ ip: string }>(`SELECT ip FROM decoys WHERE status = 'wanted'`)
  return [
    ...ofCentre(options),
    ...places.flatMap(ofPlace),
    ...segments.flatMap(({ name, gateway }) => single(gateway, `the gateway of ${name}`)),
    ...decoys.flatMap(({ ip }) => single(ip, 'a decoy of ours')),
  ]
}

/** The part of it that an agent is told with its block list: the centre's, and its own surroundings. */
export async function protectedFor(sql: Sql, agent: string, options: Options): Promise<Protected[]> {
  const places = await sql.all<Place>(
    `SELECT s.agent, a.name, s.address, s.gateway, s.dns FROM agent_segments s JOIN agents a ON a.id = s.agent WHERE s.agent = ?`,
    agent,
  )
  return [...ofCentre(options), ...places.flatMap(ofPlace)]
}

function ofCentre({ config, ownAddresses }: Options): Protected[] {
  return [
    ...config.neverBlock.map((cidr) => ({ cidr, why: 'on the configured never-block list' })),
    ...[config.publicHost, ...ownAddresses()].flatMap((ip) => single(ip, 'the controller')),
  ]
}

const ofPlace = ({ name, address, gateway, dns }: Place): Protected[] => [
  ...single(address, `the appliance ${name}`),
  ...single(gateway, `the gateway of ${name}`),
  ...addressesIn(dns).flatMap((ip) => single(ip, `a name server of ${name}`)),
]

/** `dns` is a JSON array or a list with commas or spaces between. */
const addressesIn = (text: string | null): string[] => (text ?? '').match(/\d{1,3}(?:\.\d{1,3}){3}/g) ?? []

const single = (ip: string | null | undefined, why: string): Protected[] => {
  const bare = ip?.split('/')[0]
  return bare && isIPv4(bare) ? [{ cidr: `${bare}/32`, why }] : []
}
