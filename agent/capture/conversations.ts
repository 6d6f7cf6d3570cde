import { flag, type Segment, tcp, udp } from './decode.ts'
import { conversationKind, isServicePort } from './service-ports.ts'

/** As `agent/mimicry/conversation.ts` has it: what patterns are read from. No address is in it. */
export type SeenConversation = {
  at: number
  kind: string
  /** Number of the host that began it, where somebody numbers them. */
  by?: number | undefined
  exchanges: { request: number; response: number; pauseMs: number }[]
}

type Exchange = SeenConversation['exchanges'][number]
type Talk = SeenConversation & {
  protocol: number
  lastAt: number
  /** When the other side last answered. */
  answeredAt: number
  /** When it was last asked. */
  askedAt: number
  /** Datagrams that wait for an answer, oldest first, and when each came. */
  waiting: { exchange: Exchange; at: number }[]
  /** What a server said before it was asked; it goes into the first response. */
  greeted: number
  /** The next sequence number of each side, so that what is sent again counts once. */
  next: { asker: number | undefined; answerer: number | undefined }
  /** Who was asked for it has said something. */
  isTaken: boolean
  ended: boolean
}

export type ConversationOptions = {
  /** Conversations that are followed at once, and that wait to be taken; of more the oldest go. */
  most?: number
  mostExchanges?: number
  /** Numbers who begins one. */
  by?: (asker: number) => number | undefined
}

/** What is told while a conversation goes on; no address stays here. */
export type ConversationEvents = {
  begun?(segment: Segment, at: number): void
  asked?(segment: Segment, isFirst: boolean): void
  /** A connection was taken, so long after it was asked for. */
  accepted?(segment: Segment, delayMs: number): void
  /** A connection was refused. */
  refused?(): void
  /** A response began, so long after its request ended. */
  answered?(delayMs: number, requestBytes: number, segment: Segment, isFirst: boolean): void
}

/** Silence after which a conversation is over, milliseconds. */
const quietMs: Record<number, number> = { [tcp]: 120_000, [udp]: 10_000 }

/**
 * Conversations in what a capture hears, from their first packet to their end.
 *
 *   segment -> its five-tuple -> request until it is answered -> response until it is asked again -> ... -> ended, or quiet
 *
 * One that had begun before it was heard is left out, as is one without any data: their sizes would not be true.
 */
export function makeConversations(
  { most = 5000, mostExchanges = 256, by }: ConversationOptions = {},
  events: ConversationEvents = {},
) {
  const talks = new Map<string, Talk>()
  let over: SeenConversation[] = []

  function close(key: string, talk: Talk): void {
    talks.delete(key)
    const { at, kind, by, exchanges } = talk
    if (exchanges.length === 0) return
    over.push({ at, kind, ...(by !== undefined && { by }), exchanges })
    if (over.length > most) over.shift()
  }

  function begin(segment: Segment, at: number, key: string): Talk | undefined {
    if (segment.protocol === tcp && (segment.flags & (flag.syn | flag.ack)) !== flag.syn) return undefined
    // A datagram from a service to somebody's own port answers what was asked before.
    if (segment.protocol === udp && isServicePort(segment.sourcePort) && !isServicePort(segment.targetPort))
      return undefined
    const [oldest] = talks
    if (talks.size >= most && oldest) close(...oldest)
    const talk: Talk = {
      at,
      kind: conversationKind(segment.protocol, segment.targetPort),
      by: by?.(segment.source),
      exchanges: [],
      protocol: segment.protocol,
      lastAt: at,
      answeredAt: at,
      askedAt: at,
      waiting: [],
      greeted: 0,
      next: { asker: undefined, answerer: undefined },
      isTaken: false,
      ended: false,
    }
    talks.set(key, talk)
    events.begun?.(segment, at)
    return talk
  }

  function carry(talk: Talk, side: 'asker' | 'answerer', bytes: number, segment: Segment, at: number): void {
    const current = talk.exchanges.at(-1)
    if (side === 'answerer') {
      if (talk.protocol === udp) answer(talk, bytes, segment, at)
      else if (current) {
        if (current.response === 0) {
          const isFirst = talk.exchanges.length === 1 && talk.greeted === 0
          events.answered?.(Math.max(0, at - talk.askedAt), current.request, segment, isFirst)
        }
        current.response += bytes
      } else talk.greeted += bytes
      talk.answeredAt = at
    } else if (!current || current.response > 0 || talk.protocol === udp) {
      if (talk.exchanges.length >= mostExchanges) return
      const exchange = {
        request: bytes,
        response: current ? 0 : talk.greeted,
        pauseMs: Math.max(0, at - talk.answeredAt),
      }
      talk.exchanges.push(exchange)
      if (talk.protocol === udp) talk.waiting.push({ exchange, at })
    } else current.request += bytes
  }

  /** A datagram is a question of its own: the first answer is that of the first, whatever was asked in between. */
  function answer(talk: Talk, bytes: number, segment: Segment, at: number): void {
    const asked = talk.waiting.shift()
    const exchange = asked?.exchange ?? talk.exchanges.at(-1)
    if (!exchange) talk.greeted += bytes
    else {
      if (asked)
        events.answered?.(Math.max(0, at - asked.at), exchange.request, segment, exchange === talk.exchanges[0])
      exchange.response += bytes
    }
  }

  /** The first word of who was asked for a connection. */
  function taken(talk: Talk, segment: Segment, at: number): void {
    if (talk.isTaken) return
    talk.isTaken = true
    if (segment.flags & flag.reset) events.refused?.()
    else if (segment.flags & flag.syn) events.accepted?.(segment, Math.max(0, at - talk.at))
  }

  return {
    add(segment: Segment, at: number): void {
      if (segment.protocol !== tcp && segment.protocol !== udp) return
      const key = keyOf(segment.protocol, segment.source, segment.sourcePort, segment.target, segment.targetPort)
      const back = keyOf(segment.protocol, segment.target, segment.targetPort, segment.source, segment.sourcePort)
      let [own, side]: [string, 'asker' | 'answerer'] = talks.has(back) ? [back, 'answerer'] : [key, 'asker']
      let talk = talks.get(own)
      const isOpening = segment.protocol === tcp && (segment.flags & (flag.syn | flag.ack)) === flag.syn
      if (talk && (at - talk.lastAt > (quietMs[talk.protocol] ?? 0) || (isOpening && talk.ended))) {
        close(own, talk)
        ;[talk, own, side] = [undefined, key, 'asker']
      }
      talk ??= begin(segment, at, own)
      if (!talk) return
      const fresh = segment.protocol === tcp ? freshBytes(talk.next, side, segment) : segment.bytes
      if (fresh > 0) {
        if (side === 'asker') events.asked?.(segment, talk.exchanges.length === 0)
        carry(talk, side, fresh, segment, at)
        if (side === 'asker') talk.askedAt = at
      }
      talk.lastAt = at
      if (segment.protocol === tcp && side === 'answerer') taken(talk, segment, at)
      if (segment.protocol === tcp && segment.flags & (flag.fin | flag.reset)) talk.ended = true
    },
    /** Those that are over at `now`, oldest first; each is given once. */
    take(now: number): SeenConversation[] {
      for (const [key, talk] of talks) {
        const silence = now - talk.lastAt
        if (silence > (talk.ended ? 1000 : (quietMs[talk.protocol] ?? 0))) close(key, talk)
      }
      const taken = over.sort((a, b) => a.at - b.at)
      over = []
      return taken
    },
    followed: () => talks.size,
  }
}

const keyOf = (protocol: number, from: number, fromPort: number, to: number, toPort: number) =>
  `${protocol} ${from} ${fromPort} ${to} ${toPort}`

/** Bytes that had not come before: sequence numbers wrap (RFC 9293, 3.4). SYN takes one number. */
function freshBytes(next: Talk['next'], side: keyof Talk['next'], { sequence, bytes, flags }: Segment): number {
  const end = (sequence + bytes + (flags & flag.syn ? 1 : 0)) >>> 0
  const known = next[side]
  const ahead = known === undefined ? bytes : (end - known) | 0
  if (known === undefined || ahead > 0) next[side] = end
  return Math.max(0, Math.min(bytes, ahead))
}
