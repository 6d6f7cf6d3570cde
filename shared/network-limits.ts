import type { Persona } from './schemas/persona.ts'

/** What a limit shows in: which class of system a scan sees, the options of a SYN-ACK, or finer probes alone. */
export type LimitAbout = 'class' | 'options' | 'finer'
type Limit = { about: LimitAbout; words: string }

/**
 * Where packets of a decoy, which a Linux kernel makes, stay different from those of the persona's stack; a sentence each.
 * Measured with nmap 7.93: `linux` as a real host beside it, `windows` as Windows 10 with 99 %.
 */
export const networkLimits = (persona: Pick<Persona, 'network'>): string[] =>
  limitsOf(persona).map(({ words }) => words)

/** The limit that foretells a difference of this sort; undefined where a difference is none of the persona's own. */
export const limitAbout = (persona: Pick<Persona, 'network'>, about: LimitAbout): string | undefined =>
  limitsOf(persona).find((limit) => limit.about === about)?.words

function limitsOf({ network }: Pick<Persona, 'network'>): Limit[] {
  if (!network || network.stack === 'linux') return []
  const limits: Limit[] = [...ofStack[network.stack]]
  if (network.stack === 'windows' && network.closedTcp === 'drop')
    limits.push(
      finer('with closed ports silent a scan still sees Windows, but guesses an older release, by less than 90 %'),
    )
  if (network.mss > 1460) limits.push({ about: 'options', words: 'an MSS above 1460 cannot be announced on Ethernet' })
  if (network.closedUdp === 'unreachable' && quotesLess.has(network.stack))
    limits.push(finer('an ICMP unreachable quotes the whole packet, where this kind of host quotes its first 28 bytes'))
  return limits
}

const quotesLess = new Set(['bsd', 'printer', 'switch'])
const finer = (words: string): Limit => ({ about: 'finer', words })
const ofClass = (words: string): Limit => ({ about: 'class', words })
const numbers = finer(
  'the first sequence numbers are as random as those of Linux, where small devices have simpler ones',
)

const ofStack: Record<Exclude<NonNullable<Persona['network']>['stack'], 'linux'>, Limit[]> = {
  'linux-embedded': [finer('timestamps follow a clock per connection, where old kernels have one for all')],
  windows: [
    finer('the last of six windows in a scan is the same as the others'),
    finer('timestamps follow a clock per connection, where Windows has one for all'),
  ],
  bsd: [
    ofClass('a scan of the operating system sees Linux'),
    finer('the MSS of the other side is not echoed'),
    finer('SYN with FIN gets no SYN-ACK from an open port'),
  ],
  printer: [ofClass('a scan sees an embedded device of another kind'), numbers],
  switch: [ofClass('a scan sees a switch only among other network devices'), numbers],
}
