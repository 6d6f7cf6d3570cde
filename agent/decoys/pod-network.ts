import { createHash } from 'node:crypto'
import type { Persona, PersonaNetwork, ServiceKind } from '../../shared/schemas/persona.ts'

/** Words of `control/network.json`, which `images/pod/stack.py` makes into rules; a word left out is the kernel's way. */
export type NetworkFile = {
  window?: number
  mss?: number
  windowScale?: number
  /** Where the window scale stands among the options of a SYN-ACK: last, as Linux, or second, as Windows and BSD. */
  options?: 'scale-first'
  ipId?: 'increment' | 'random'
  /** The first of the rising IP ids, 0 to 59999. */
  ipIdFrom?: number
  /** On what comes from open ports only, or on nothing. */
  dontFragment?: 'open' | 'never'
  /** What a TCP packet without flags, or with SYN and FIN, gets from an open port. */
  oddProbes?: 'reset'
  /** Whether a reset without ACK has a number in its field. */
  resetAck?: 'filled'
  echoCode?: 'zero'
  closedTcp?: 'drop'
  closedUdp?: 'drop'
  /** What such a host says when it comes up: `images/pod/presence.py`. */
  announce?: Announcement[]
  /** UDP ports that answer what was asked of a group, or of all of the link. */
  answers?: number[]
  /** UDP ports that answer from a new port each time. */
  transfers?: number[]
  /** Of its NetBIOS names. */
  workgroup?: string
}
export type Announcement = 'arp' | 'dhcp' | 'netbios' | 'mdns'

export type PodNetwork = { sysctls: Record<string, string>; file: NetworkFile }

/** What sets a stack apart beyond the options that a persona names; measured with `nmap -O`. */
const habits: Record<PersonaNetwork['stack'], NetworkFile> = {
  linux: {},
  'linux-embedded': {},
  windows: { options: 'scale-first', ipId: 'increment', oddProbes: 'reset', resetAck: 'filled', echoCode: 'zero' },
  bsd: { options: 'scale-first' },
  printer: { options: 'scale-first', ipId: 'increment', dontFragment: 'open' },
  switch: { ipId: 'increment', dontFragment: 'never' },
}

/**
 * What a host says by itself when it comes up. Servers and switches have fixed addresses, and say no more than that; who
 * answers for its name by NetBIOS or mDNS has made it known too.
 */
function announcementsOf({ network, services = [] }: Persona): Announcement[] {
  const has = (kind: ServiceKind) => services.some((service) => service.kind === kind)
  return [
    'arp',
    ...(network?.stack === 'windows' ? (['dhcp'] as const) : []),
    ...(has('netbios') || network?.stack === 'windows' ? (['netbios'] as const) : []),
    ...(has('mdns') ? (['mdns'] as const) : []),
  ]
}

/** Smallest receive buffer, and what a connection begins with, as Linux has them (tcp(7)). */
const receiveBuffer = { least: 4096, first: 131_072 }

/** The pod's own network settings, and the rules it shall have, so that its packets look like those of the persona. */
export function podNetwork(persona: Persona): PodNetwork {
  const base = {
    'net.ipv4.ip_default_ttl': String(persona.ttl),
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv6.conf.all.disable_ipv6': '1',
  }
  const network = persona.network
  if (!network) return { sysctls: base, file: answersOf(persona) }
  const habit = habits[network.stack]
  const sysctls = {
    ...base,
    'net.ipv4.conf.all.arp_notify': '1',
    'net.ipv4.tcp_sack': bit(network.sack),
    'net.ipv4.tcp_timestamps': bit(network.timestamps),
    'net.ipv4.tcp_window_scaling': bit(network.windowScale !== null),
    // 2 agrees to ECN when asked, as Linux does; 0 never.
    'net.ipv4.tcp_ecn': network.ecn ? '2' : '0',
    'net.ipv4.icmp_echo_ignore_all': bit(!network.icmpEcho),
    ...(network.windowScale !== null && { 'net.ipv4.tcp_rmem': bufferFor(network.windowScale) }),
  }
  const file: NetworkFile = {
    ...habit,
    announce: announcementsOf(persona),
    ...answersOf(persona),
    ...workgroupOf(persona),
    ...(habit.ipId === 'increment' && { ipIdFrom: firstId(persona.seed) }),
    ...(network.window > 0 && { window: network.window }),
    ...(network.mss < mssOfEthernet && { mss: network.mss }),
    ...(network.windowScale !== null && { windowScale: network.windowScale }),
    ...(network.closedTcp === 'drop' && { closedTcp: 'drop' as const }),
    ...(network.closedUdp === 'drop' && { closedUdp: 'drop' as const }),
  }
  return { sysctls, file }
}

const answerAll: readonly ServiceKind[] = ['netbios', 'mdns', 'llmnr']
const answerAfresh: readonly ServiceKind[] = ['tftp']

/** Whose answers the kernel does not know for answers, since they leave from elsewhere than was asked. */
function answersOf({ services = [] }: Persona): Pick<NetworkFile, 'answers' | 'transfers'> {
  const portsOf = (kinds: readonly ServiceKind[]) =>
    [...new Set(services.filter(({ kind }) => kinds.includes(kind)).map(({ port }) => port))].sort((a, b) => a - b)
  const [answers, transfers] = [portsOf(answerAll), portsOf(answerAfresh)]
  return { ...(answers.length > 0 && { answers }), ...(transfers.length > 0 && { transfers }) }
}

/** The one that its NetBIOS service tells, or the first label of its domain, as Windows shortens it. */
function workgroupOf({ domain, services = [] }: Persona): { workgroup?: string } {
  const told = services.find(({ kind }) => kind === 'netbios')?.settings.workgroup
  const name = typeof told === 'string' ? told : domain?.split('.')[0]
  return name === undefined ? {} : { workgroup: name.toUpperCase().slice(0, 15) }
}

const mssOfEthernet = 1460
const bit = (value: boolean): string => (value ? '1' : '0')

/** A largest buffer of which the kernel itself takes this scale: the window has 16 bits, the first of them for a sign. */
function bufferFor(scale: number): string {
  const most = Math.max(2 ** (15 + scale), receiveBuffer.first)
  return `${receiveBuffer.least} ${receiveBuffer.first} ${most}`
}

const firstId = (seed: string): number => createHash('sha256').update(`ip id ${seed}`).digest().readUInt32BE(0) % 60_000
