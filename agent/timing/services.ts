import { canonicalCidr, within } from '../../shared/network.ts'
import type { Plan } from '../../shared/schemas/desired-state.ts'
import type { HostPort, HostSeen } from '../../shared/schemas/inventory.ts'
import type { Nic } from '../scan/interfaces.ts'
import { chooseTargets } from '../scan/targets.ts'

/** A real service that may be asked how fast it answers. `from`: the appliance's own address in that segment. */
export type Service = { cidr: string; ip: string; port: number; kind: AskedKind; from: string }

/**
 * Kinds that bear being asked by anybody, time and again. Others do not: a printer prints what it is sent, databases and
 * VNC shut out who comes and does not log in, controllers of machines have better things to do.
 */
export const askedKinds = ['ssh', 'ftp', 'smtp', 'telnet', 'http', 'https', 'dns', 'smb', 'rdp'] as const
export type AskedKind = (typeof askedKinds)[number]

/** Names of nmap that are other than ours. */
const named: Readonly<Record<string, AskedKind>> = {
  domain: 'dns',
  'microsoft-ds': 'smb',
  'ms-wbt-server': 'rdp',
  'http-proxy': 'http',
  'http-alt': 'http',
}

const privateNetworks = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '198.18.0.0/15',
]
const mostOfHost = 8
const most = 512

export type Known = {
  plan: Pick<Plan, 'observe' | 'scan' | 'decoys'>
  nics: readonly Nic[]
  /** The agent's own inventory. */
  hosts: readonly HostSeen[]
  ownDecoys: readonly { ip: string; mac: string }[]
}

/**
 * Whom timing probes may go to: services that the agent's own scan found, in segments that are looked at, within the rails
 * of scans (own segments, policy, exclusions), and in private networks. Never to what may be a decoy: one by its address or
 * MAC, and any host that shows no MAC. Pure.
 */
export function servicesToAsk({ plan, nics, hosts, ownDecoys }: Known): Service[] {
  const watched = new Set((plan.observe?.segments ?? []).map(canonicalCidr))
  const segments = nics.filter(({ cidr }) => watched.has(cidr) && privateNetworks.some((wide) => within(cidr, wide)))
  const decoys = [...ownDecoys, ...plan.decoys]
  const ips = new Set(decoys.map(({ ip }) => ip))
  const macs = new Set([...plan.scan.decoyMacs, ...decoys.map(({ mac }) => mac)])
  const found: Service[] = []
  for (const host of hosts) {
    if (host.mac === undefined || macs.has(host.mac) || ips.has(host.ip)) continue
    const asked = { segments, policy: plan.scan, ownDecoys: [...ips], cidr: `${host.ip}/32` }
    const [target] = chooseTargets(asked).targets
    if (!target) continue
    const { cidr, address: from } = target.segment
    const open = host.ports.flatMap((port) => {
      const kind = kindOf(port)
      return kind ? [{ cidr, ip: host.ip, port: port.port, kind, from }] : []
    })
    found.push(...open.slice(0, mostOfHost))
  }
  return found.slice(0, most)
}

function kindOf({ service = '', proto }: HostPort): AskedKind | undefined {
  const kind = named[service] ?? askedKinds.find((one) => one === service)
  // A server of names answers datagrams where a scan found it over TCP too; all else is asked over TCP.
  return proto === 'tcp' || kind === 'dns' ? kind : undefined
}
