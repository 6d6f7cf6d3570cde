import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { flag, type Segment, tcp, udp } from './decode.ts'
import { type Flow, mayBeSilentMs, newFlow } from './flow.ts'
import { begunBytes, tellAnswerer, tellAsker } from './greeting.ts'
import { nameKind } from './name-kind.ts'
import { everyone, makeWindowGroups } from './window-groups.ts'

export type FlowOptions = {
  /** The decoy's address, as a number. */
  decoy: number
  random: Random
  /** A name for another address that stays the same within a window and tells nothing of it. */
  pseudonym: (address: number) => string
  /** Who answers: the decoy (a port of its), or others what it asks by itself. */
  answers?: 'decoy' | 'others'
  /** Conversations that are followed at once; the oldest is forgotten first. */
  mostFlows?: number
}

/** Longer than any answer waits between two of its parts. */
const answerOverMs = 5000

/**
 * Features of a decoy's traffic in a window: what was asked and answered, how fast, how large, by what kind of client.
 *
 *   segment -> flow of its five-tuple -> request until it is answered -> response until it is asked again, or silent
 *
 * Flows go on over windows; what is told of one stands in the window in which it was known.
 * A source counts once in `session.rate`, however often it connects, and a partner once a conversation. Data that comes
 * again is no request and no answer: it is counted as repeated. Nothing of a payload is kept but fingerprints.
 */
export function makeFlows({ decoy, random, pseudonym, answers = 'decoy', mostFlows = 20_000 }: FlowOptions) {
  /** The one that was silent for longest comes first. */
  const flows = new Map<string, Flow>()
  const groups = makeWindowGroups(random)
  let window = groups.of(everyone)

  function begin(segment: Segment, other: number, fromAsker: boolean): Flow {
    if (flows.size >= mostFlows) forget(...(flows.entries().next().value as [string, Flow]))
    const flow = newFlow()
    window.count('partner.kind', pseudonym(other))
    if (segment.protocol === udp && fromAsker) window.opened(segment.source, undefined)
    return flow
  }

  function fromAsker(flow: Flow, segment: Segment, at: number): void {
    if (segment.protocol === tcp) {
      const isSyn = (segment.flags & (flag.syn | flag.ack)) === flag.syn
      // A SYN that comes again is answered late for the asker all the same: its first one counts.
      if (isSyn && flow.synAt === undefined) {
        window.opened(segment.source, segment.window)
        Object.assign(flow, { synAt: at, askerBytes: Buffer.alloc(0), answererBytes: Buffer.alloc(0) })
      } else if (!isSyn && flow.askerBytes && flow.readyAt === undefined) {
        flow.readyAt = at
        if (flow.synAckAt !== undefined) window.add('path.delay', at - flow.synAckAt)
      }
    }
    if (segment.bytes === 0) return
    if (isAgain(flow, 'askerNext', segment)) return
    // Before the first packet of a conversation nothing was waited for.
    if (flow.lastAt !== undefined) window.add('interarrival', at - flow.lastAt)
    answerOver(flow)
    flow.asked += segment.bytes
    flow.askedAt = at
    if (!flow.askerBytes) return
    const told = tellAsker(begunBytes(flow.askerBytes, segment.payload))
    flow.askerBytes = told.rest
    flow.greeting = told.isHello
    if (told.kind !== undefined) window.count('client.kind', told.kind)
    if (told.ja3 !== undefined) window.count('client.ja3', told.ja3)
  }

  function fromAnswerer(flow: Flow, segment: Segment, at: number): void {
    if (segment.protocol === tcp && segment.flags & flag.reset) window.refused()
    if (flow.synAt !== undefined && segment.flags & flag.syn && segment.flags & flag.ack) {
      if (flow.answererNext === undefined) {
        window.add('connect.delay', at - flow.synAt)
        window.add('answer.window', segment.window)
      }
      flow.synAckAt = at
      flow.answererNext = (segment.sequence + 1) >>> 0
    }
    if (segment.bytes === 0) return
    if (isAgain(flow, 'answererNext', segment)) return
    if (flow.answererBytes) {
      const first = flow.answererBytes.length === 0
      const greets = first && flow.readyAt !== undefined && (flow.askedAt === undefined || isSsh(flow.askerBytes))
      if (greets) handshake(flow, at - (flow.readyAt as number))
      const told = tellAnswerer(begunBytes(flow.answererBytes, segment.payload))
      flow.answererBytes = told.rest
      if (told.kind !== undefined) window.count('handshake.kind', told.kind)
    }
    if (flow.askedAt !== undefined) {
      if (flow.greeting) handshake(flow, at - flow.askedAt)
      else {
        window.add('response.delay', at - flow.askedAt)
        window.add('request.size', flow.asked)
      }
      flow.askedAt = undefined
      flow.asked = 0
    }
    flow.answered += segment.bytes
  }

  /** What belongs to it is no request: the delay of the first real one is told by itself. */
  function handshake(flow: Flow, delay: number): void {
    window.add('handshake.delay', delay)
    Object.assign(flow, { greeting: false, askedAt: undefined, asked: 0 })
  }

  function answerOver(flow: Flow): void {
    if (flow.answered > 0) groups.of(flow.group).add('response.size', flow.answered)
    flow.answered = 0
  }

  function forget(key: string, flow: Flow): void {
    answerOver(flow)
    flows.delete(key)
  }

  function isAgain(flow: Flow, side: 'askerNext' | 'answererNext', { protocol, sequence, bytes }: Segment): boolean {
    if (protocol !== tcp) return false
    const [end, known] = [(sequence + bytes) >>> 0, flow[side]]
    // Serial numbers (RFC 1982): what ends within half of all numbers behind what was seen is old.
    const again = known !== undefined && ((end - known) | 0) <= 0
    window.carried(again)
    if (!again) flow[side] = end
    return again
  }

  return {
    /** `group`: the asker's, whose features are told apart. */
    add(segment: Segment, at: number, group = everyone): void {
      window = groups.of(group)
      const incoming = segment.target === decoy
      if (!incoming && segment.source !== decoy) return
      const other = incoming ? segment.source : segment.target
      const [own, far] = incoming ? [segment.targetPort, segment.sourcePort] : [segment.sourcePort, segment.targetPort]
      const asks = incoming === (answers === 'decoy')
      if (!incoming && segment.protocol === udp && far === 53) named(segment)
      const key = `${segment.protocol} ${own} ${other} ${far}`
      const known = flows.get(key)
      // The same ports once more: a new conversation.
      const isNew = segment.protocol === tcp && asks && (segment.flags & (flag.syn | flag.ack)) === flag.syn
      const goesOn = known && !(isNew && known.readyAt !== undefined)
      if (known) goesOn ? flows.delete(key) : forget(key, known)
      const flow = goesOn ? known : begin(segment, other, asks)
      flows.set(key, flow)
      flow.group = group
      if (segment.protocol === tcp) showFlags(flow, segment.flags, asks)
      if (asks) fromAsker(flow, segment, at)
      else fromAnswerer(flow, segment, at)
      flow.lastAt = at
      if (segment.protocol === tcp && segment.flags & (flag.reset | flag.fin)) {
        answerOver(flow)
        flow.isOver = true
        if (segment.flags & flag.reset) flows.delete(key)
      }
    },
    /** The features since the last call, which looked for `seconds`; what is over and silent for so long is forgotten. */
    take(seconds: number, now: number): Profile {
      return this.takeGroups(seconds, now).get(everyone) as Profile
    },
    /** The same, apart for each group. */
    takeGroups(seconds: number, now: number): Map<string, Profile> {
      for (const [key, flow] of flows) {
        const silent = now - (flow.lastAt ?? now)
        if (silent >= answerOverMs) answerOver(flow)
        if (silent >= Math.max(seconds * 1000, mayBeSilentMs(key, flow))) forget(key, flow)
      }
      return groups.take(seconds)
    },
    followed: () => flows.size,
  }

  function named(segment: Segment): void {
    const kind = nameKind(segment.payload)
    if (kind !== undefined) window.count('name.kind', kind)
  }

  function showFlags(flow: Flow, flags: number, asks: boolean): void {
    const shown = (flags & 63) | (asks ? 64 : 0)
    if (flow.flags.has(shown)) return
    flow.flags.add(shown)
    window.count('flag.kind', `${asks ? '>' : '<'}${flagLetters(flags)}`)
  }
}

/** SSH's sides name themselves without waiting for each other. */
const isSsh = (bytes: Buffer | undefined): boolean => bytes?.subarray(0, 4).toString('latin1') === 'SSH-'

const letters = 'FSRPAU'
const flagLetters = (flags: number): string => [...letters].filter((_, bit) => flags & (1 << bit)).join('') || '-'
