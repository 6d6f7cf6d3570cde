import type { MimicryTarget } from './schemas/mimicry.ts'

/** What goes to everybody, or by datagrams that have no other side which could be asked: decoys do not make it. */
const unmade = /^(udp .*|dhcp|netbios|mdns|llmnr|ssdp|snmp|syslog)$/
export const isMade = (kind: string): boolean => !unmade.test(kind)

/** Kinds of conversation that only the real thing can answer; every other shape a peer can give. */
const roles: Record<string, MimicryTarget['role']> = { dns: 'resolver', http: 'updates', ntp: 'clock' }
export const roleOf = (kind: string): MimicryTarget['role'] => roles[kind] ?? 'peer'

/** Peers answer on connections alone. */
const datagrams = new Set(['dns', 'ntp'])
/** Whom it is asked of, best first. */
export const rolesFor = (kind: string): MimicryTarget['role'][] => {
  const own = roleOf(kind)
  return own === 'peer' || datagrams.has(kind) ? [own] : [own, 'peer']
}

/** Of a segment's kinds, so many go into a plan: every decoy of it bears them. */
export const mostKindsOfPlan = 6
