import type { Persona } from './schemas/persona.ts'

/**
 * Where packets of a decoy, which a Linux kernel makes, stay different from those of the persona's stack; a sentence each.
 * Measured with nmap 7.93: `linux` as a real host beside it, `windows` as Windows 10 with 99 %.
 */
export function networkLimits(persona: Pick<Persona, 'network'>): string[] {
  const network = persona.network
  if (!network || network.stack === 'linux') return []
  const limits: string[] = [...ofStack[network.stack]]
  if (network.mss > 1460) limits.push('an MSS above 1460 cannot be announced on Ethernet')
  if (network.closedUdp === 'unreachable' && quotesLess.has(network.stack))
    limits.push('an ICMP unreachable quotes the whole packet, where this kind of host quotes its first 28 bytes')
  return limits
}

const quotesLess = new Set(['bsd', 'printer', 'switch'])
const numbers = 'the first sequence numbers are as random as those of Linux, where small devices have simpler ones'

const ofStack = {
  'linux-embedded': ['timestamps follow a clock per connection, where old kernels have one for all'],
  windows: [
    'the last of six windows in a scan is the same as the others',
    'timestamps follow a clock per connection, where Windows has one for all',
  ],
  bsd: [
    'a scan of the operating system sees Linux',
    'the MSS of the other side is not echoed',
    'SYN with FIN gets no SYN-ACK from an open port',
  ],
  printer: ['a scan sees an embedded device of another kind', numbers],
  switch: ['a scan sees a switch only among other network devices', numbers],
} as const
