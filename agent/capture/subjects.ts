import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import { type Segment, tcp } from './decode.ts'
import { makeFlows } from './flows.ts'
import type { Mimics } from './mimics.ts'
import { everyone } from './window-groups.ts'

/** What is told of one port of the decoy, of an instance of its mimicry, or, without either, of what else it does by itself. */
export type Subject = { port?: number; instance?: number; service: string }
/**
 * `ownLooks`: packets of our audits and touches, which are in no feature. `apart`: by the mark of their drift, the features of
 * those who meet another than everyone.
 */
export type Taken = Subject & { profile: Profile; ownLooks: number; apart: ReadonlyMap<string, Profile> }

export const ownService = 'self'
const mimicryService = 'mimicry'
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
 *                                                              | to where its mimicry goes -> that instance's
 *
 * What comes for other ports is nobody's: a port scan says nothing of a service. It stands in the ring. So do our own audits
 * and test touches, whose packets are counted, and are nobody's behaviour.
 */
export function makeSubjects(deps: {
  decoy: number
  /** Of the decoy's network, where it is known. */
  broadcastAddress?: number
  ports: ReadonlyMap<number, string>
  random: Random
  pseudonym: (address: number) => string
  /** What its mimicry talks to; undefined while there is none. */
  mimics?: () => Mimics | undefined
  isOwnLook?: (address: number, port: number, at: number) => boolean
  /** The group of a source of a service's (`window-groups.ts`); everyone's where undefined. */
  groupOf?: (address: number) => string | undefined
}) {
  const { decoy, ports } = deps
  const flowsOf = (answers: 'decoy' | 'others') =>
    makeFlows({ decoy, random: deps.random, pseudonym: deps.pseudonym, answers, mostFlows })
  const services = new Map([...ports.keys()].map((port) => [port, flowsOf('decoy')]))
  const self = flowsOf('others')
  const mimicry = new Map<number, ReturnType<typeof makeFlows>>()
  let ownLooks = new Map<unknown, number>()
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

  function flowsTo(protocol: number, address: number, port: number, ownPort: number) {
    const mimics = deps.mimics?.()
    return mimics?.isTo(protocol, address, port) ? flowsOfInstance(mimics.instanceOf(ownPort)) : self
  }

  function flowsOfInstance(instance: number) {
    const flows = mimicry.get(instance) ?? flowsOf('others')
    mimicry.set(instance, flows)
    return flows
  }

  return {
    add(segment: Segment, at: number): void {
      const outgoing = segment.source === decoy
      if (segment.sourcePort === 0 || outgoing === (segment.target === decoy)) return
      const [ownPort, other, far] = outgoing
        ? [segment.sourcePort, segment.target, segment.targetPort]
        : [segment.targetPort, segment.source, segment.sourcePort]
      const flows = isOwn(segment, outgoing) ? flowsTo(segment.protocol, other, far, ownPort) : services.get(ownPort)
      if (!flows) return
      if (deps.isOwnLook?.(other, far, at)) ownLooks.set(flows, (ownLooks.get(flows) ?? 0) + 1)
      else flows.add(segment, at, flows === services.get(ownPort) ? deps.groupOf?.(other) : undefined)
    },
    take(seconds: number, now: number): Taken[] {
      const instances = deps.mimics?.()?.instances ?? 0
      for (let one = 0; one < instances; one++) flowsOfInstance(one)
      const looks = ownLooks
      ownLooks = new Map()
      const of = (subject: Subject, flows: typeof self): Taken => {
        const { [everyone]: profile = {}, ...apart } = Object.fromEntries(flows.takeGroups(seconds, now))
        return { ...subject, profile, ownLooks: looks.get(flows) ?? 0, apart: new Map(Object.entries(apart)) }
      }
      const taken = [
        ...[...services].map(([port, flows]) => of({ port, service: (ports.get(port) ?? '').slice(0, 32) }, flows)),
        of({ service: ownService }, self),
        ...[...mimicry].map(([instance, flows]) => of({ instance, service: mimicryService }, flows)),
      ]
      for (const instance of mimicry.keys()) if (instance >= instances) mimicry.delete(instance)
      return taken
    },
  }
}
