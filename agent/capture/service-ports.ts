import { tcp } from './decode.ts'

/** What is usually served on a port; the same names as personas and scans have where they have one. */
const names: Readonly<Record<number, string>> = {
  21: 'ftp',
  22: 'ssh',
  23: 'telnet',
  25: 'smtp',
  53: 'dns',
  67: 'dhcp',
  68: 'dhcp',
  80: 'http',
  88: 'kerberos',
  123: 'ntp',
  137: 'netbios',
  138: 'netbios',
  139: 'smb',
  143: 'imap',
  161: 'snmp',
  389: 'ldap',
  443: 'https',
  445: 'smb',
  514: 'syslog',
  587: 'smtp',
  636: 'ldaps',
  993: 'imaps',
  1883: 'mqtt',
  1900: 'ssdp',
  3306: 'mysql',
  3389: 'rdp',
  5353: 'mdns',
  5355: 'llmnr',
  5432: 'postgres',
  6379: 'redis',
  8883: 'mqtts',
  9100: 'printer',
}
/** Below the range that systems take ports of their own from (Linux since 2.4; RFC 6335 has it begin later). */
const firstOwnPort = 32_768

/** `https`, `tcp 8080`, `udp other`: bounded in number, and tells of no host. */
export function conversationKind(protocol: number, port: number): string {
  const known = names[port]
  if (known !== undefined) return known
  return `${protocol === tcp ? 'tcp' : 'udp'} ${port > 0 && port < firstOwnPort ? port : 'other'}`
}

export const isServicePort = (port: number): boolean => port > 0 && (port < 1024 || names[port] !== undefined)
