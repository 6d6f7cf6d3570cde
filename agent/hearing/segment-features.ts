import { parseNetwork } from '../../shared/network.ts'
import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { makeConversations, type SeenConversation } from '../capture/conversations.ts'
import { decode, type Segment, tcp, udp } from '../capture/decode.ts'
import { tellAnswerer, tellAsker } from '../capture/greeting.ts'
import { nameKind } from '../capture/name-kind.ts'
import { makeWindowProfile } from '../capture/window-profile.ts'
import { makeHeardTwice } from './heard-twice.ts'

export type SegmentFeaturesDeps = {
  cidr: string
  random: Random
  pseudonym: (address: number) => string
  /** Whether a card is the appliance's or a decoy's: what those say is not the segment's own. */
  isOurs: (mac: string) => boolean
}

const namePorts: ReadonlySet<number> = new Set([53, 5353, 5355])
const broadcast = 0xffffffff
const dayMs = 86_400_000
/** Hosts that are told apart. */
const mostHosts = 16_384

/**
 * What the hosts of a segment say to each other, as far as a card hears it: who (by pseudonym), how often, how much, how fast,
 * by what kind of client, for what kind of name. From each frame its headers are taken, and what a greeting or a question for
 * a name tells of its kind; nothing of a payload, and no address, stays.
 */
export function makeSegmentFeatures({ cidr, random, pseudonym, isOurs }: SegmentFeaturesDeps) {
  const { first, last } = parseNetwork(cidr)
  const heardTwice = makeHeardTwice()
  const isInside = (address: number) => address >= first && address <= last
  let window = makeWindowProfile(random)
  let lastBegunAt: number | undefined
  /** Hosts of the segment that said anything today, by address, each with a number that means nothing else. */
  let hosts = new Map<number, number>()
  let [day, numbered] = [0, 0]
  const conversations = makeConversations(
    { most: 2000, by: (asker) => hosts.get(asker) },
    { begun, asked, accepted, refused: () => window.refused(), answered },
  )

  function heard(address: number, at: number): void {
    const today = Math.floor(at / dayMs)
    if (today !== day) [day, hosts] = [today, new Map()]
    if (isInside(address) && hosts.size < mostHosts && !hosts.has(address)) hosts.set(address, numbered++)
  }

  function begun(segment: Segment, at: number): void {
    window.opened(segment.source, segment.protocol === tcp ? segment.window : undefined)
    window.count('partner.kind', pseudonym(segment.source))
    const toAll = segment.target === broadcast || segment.target === last || segment.target >>> 28 === 14
    if (!toAll) window.count('partner.kind', pseudonym(segment.target))
    if (lastBegunAt !== undefined) window.add('interarrival', Math.max(0, at - lastBegunAt))
    lastBegunAt = at
  }

  function asked(segment: Segment, isFirst: boolean): void {
    if (segment.protocol === udp && namePorts.has(segment.targetPort)) {
      const kind = nameKind(segment.payload)
      if (kind !== undefined) window.count('name.kind', kind)
    } else if (segment.protocol === tcp && isFirst) {
      const { kind, ja3 } = tellAsker(segment.payload)
      if (kind !== undefined) window.count('client.kind', kind)
      if (ja3 !== undefined) window.count('client.ja3', ja3)
    }
  }

  function accepted(segment: Segment, delayMs: number): void {
    window.add('connect.delay', delayMs)
    window.add('answer.window', segment.window)
  }

  function answered(delayMs: number, requestBytes: number, segment: Segment, isFirst: boolean): void {
    window.add('response.delay', delayMs)
    window.add('request.size', requestBytes)
    const { kind } = isFirst && segment.protocol === tcp ? tellAnswerer(segment.payload) : {}
    if (kind !== undefined) window.count('handshake.kind', kind)
  }

  return {
    /** `card`: which of several that hear this segment it was. */
    add(frame: Buffer, at: number, card?: string): void {
      const segment = decode(frame)
      if (!segment || (segment.source !== 0 && !isInside(segment.source) && !isInside(segment.target))) return
      if (isOurs(macAt(frame, 6)) || isOurs(macAt(frame, 0))) return
      if (card !== undefined && segment.protocol === udp && heardTwice(segment, at, card)) return
      heard(segment.source, at)
      conversations.add(segment, at)
    },
    /** With how many hosts were heard today. */
    take(seconds: number, now: number): { profile: Profile; conversations: SeenConversation[]; hosts: number } {
      const over = conversations.take(now)
      for (const { response } of over.flatMap(({ exchanges }) => exchanges))
        if (response > 0) window.add('response.size', response)
      const profile = window.profile(seconds)
      window = makeWindowProfile(random)
      return { profile, conversations: over, hosts: hosts.size }
    },
  }
}

const macAt = (frame: Buffer, at: number): string =>
  frame
    .subarray(at, at + 6)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1:')
