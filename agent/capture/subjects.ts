import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import { type Segment, tcp } from './decode.ts'
import { makeFlows } from './flows.ts'

/** What is told of one port of the decoy, or, without a port, of what it does by itself. */
export type Subject = { port?: number; service: string }
export type Taken = Subject & { profile: Profile }

export const ownService = 'self'
/** A decoy lets far fewer in at once; a flood of beginnings pushes out the oldest of them. */
const mostFlows = 500
const mostOwnUdp = 256
const broadcast = 0xffffffff
const isMulticast = (address: number): boolean => address >>> 28 === 14

/** Ports and services of a persona; SSH and telnet stand on their usual ones. */
export const portsOf = ({ ssh, telnet, services = [] }: Pick<Persona, 'ssh' | 'telnet' | 'services'>) =>
  new Map<number, string>([
    ...(ssh ? [[22, 'ssh'] as const] : []),
    ...(telnet ? [[23, 'telnet'] as const] : []),
    ...services.map(({ port, kind }) => [port, kind] as const),
  ])

/**
 * Whose a packet is:
 *
 *   TCP  to or from a service's port  -> that service's        | from elsewhere, and the decoy began it -> its own
 *   UDP  asked at a service's port, and its answers            | what it sends unasked, and the answers to that
 *
 * What comes for other ports is nobody's: a port scan says nothing of a service. It stands in the ring.
 */
export function makeSubjects(deps: {
  decoy: number
  /** Of the decoy's network, where it is known. */
  broadcastAddress?: number
  ports: ReadonlyMap<number, string>
  random: Random
  pseudonym: (address: number) => string
}) {
  const { decoy, ports } = deps
  const flowsOf = (answers: 'decoy' | 'others') =>
    makeFlows({ decoy, random: deps.random, pseudonym: deps.pseudonym, answers, mostFlows })
  const services = new Map([...ports.keys()].map((port) => [port, flowsOf('decoy')]))
  const self = flowsOf('others')
  /** Own ports that the decoy has sent from unasked, by protocol, port and the other's port. */
  const begun = new Set<string>()

  function isOwn(segment: Segment, outgoing: boolean): boolean {
    const [own, far] = outgoing ? [segment.sourcePort, segment.targetPort] : [segment.targetPort, segment.sourcePort]
    const other = outgoing ? segment.target : segment.source
    if (segment.protocol === tcp) {
      const key = `${own} ${other} ${far}`
      const begins = (segment.flags & 0x12) === 2
      if (outgoing && begins) remember(key)
      return begun.has(key)
    }
    const key = `u${own} ${far}`
    const toAll = other === broadcast || other === deps.broadcastAddress || isMulticast(other)
    if (outgoing && (toAll || !ports.has(own)) && segment.sourcePort !== 0) remember(key)
    return outgoing ? toAll || !ports.has(own) : begun.has(key) && !ports.has(own)
  }

  function remember(key: string): void {
    if (begun.size >= mostOwnUdp && !begun.has(key)) begun.delete(begun.values().next().value as string)
    begun.add(key)
  }

  return {
    add(segment: Segment, at: number): void {
      const outgoing = segment.source === decoy
      if (segment.sourcePort === 0 || outgoing === (segment.target === decoy)) return
      const flows = isOwn(segment, outgoing) ? self : services.get(outgoing ? segment.sourcePort : segment.targetPort)
      flows?.add(segment, at)
    },
    take: (seconds: number, now: number): Taken[] => [
      ...[...services].map(([port, flows]) => ({
        port,
        service: (ports.get(port) ?? '').slice(0, 32),
        profile: flows.take(seconds, now),
      })),
      { service: ownService, profile: self.take(seconds, now) },
    ],
  }
}
