import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { flag, type Segment, tcp, udp } from './decode.ts'
import { nameKind } from './name-kind.ts'
import { makeReservoir } from './reservoir.ts'
import { hassh } from './ssh-hello.ts'
import { helloPrints } from './tls-hello.ts'

/** One side's conversation with a port of the decoy, or of the decoy with a port elsewhere. */
type Flow = {
  lastAt: number
  /** When the decoy was last asked something that it has not answered. */
  askedAt: number | undefined
  asked: number
  answered: number
  /** The client's first bytes, until they are told apart. */
  begun: Buffer | undefined
}

export type FlowOptions = {
  /** The decoy's address, as a number. */
  decoy: number
  random: Random
  /** A name for another address that stays the same within a window and tells nothing of it. */
  pseudonym: (address: number) => string
  /** Conversations that are followed at once; the oldest is forgotten first. */
  mostFlows?: number
}

const mostCategories = 64
const mostBegun = 2048

/**
 * Features of a decoy's traffic in a window: what was asked and answered, how fast, how large, by what kind of client.
 *
 *   segment -> flow of its five-tuple -> request until the decoy answers -> response until it is asked again
 *
 * A source counts once in `session.rate`, however often it connects. Nothing of a payload is kept but fingerprints.
 */
export function makeFlows({ decoy, random, pseudonym, mostFlows = 20_000 }: FlowOptions) {
  let flows = new Map<string, Flow>()
  let window = makeWindow(random)

  function flowOf(key: string, at: number): Flow {
    const known = flows.get(key)
    if (known) return known
    if (flows.size >= mostFlows) flows.delete(flows.keys().next().value as string)
    const flow: Flow = { lastAt: at, askedAt: undefined, asked: 0, answered: 0, begun: undefined }
    flows.set(key, flow)
    return flow
  }

  function toDecoy(flow: Flow, segment: Segment, at: number): void {
    if (segment.protocol === tcp && segment.flags & flag.syn && !(segment.flags & flag.ack)) {
      window.opened(segment.source, segment.window)
      flow.begun = Buffer.alloc(0)
    }
    if (segment.bytes === 0) return
    window.came(at - flow.lastAt)
    if (flow.answered > 0) window.answered(flow.answered)
    flow.answered = 0
    flow.asked += segment.bytes
    flow.askedAt = at
    if (flow.begun) flow.begun = tellClient(Buffer.concat([flow.begun, segment.payload]))
  }

  /** The bytes so far while they may become a hello; undefined once they were told apart or cannot be. */
  function tellClient(bytes: Buffer): Buffer | undefined {
    const kind = bytes[0] === 22 ? helloPrints(bytes)?.ja4 : hassh(bytes, 'client')
    if (kind !== undefined) window.client(kind)
    return kind !== undefined || bytes.length > mostBegun ? undefined : bytes
  }

  function fromDecoy(flow: Flow, segment: Segment, at: number): void {
    if (segment.protocol === tcp && segment.flags & flag.reset) window.refused()
    if (segment.bytes === 0) return
    if (flow.askedAt !== undefined) {
      window.delayed(at - flow.askedAt, flow.asked)
      flow.askedAt = undefined
      flow.asked = 0
    }
    flow.answered += segment.bytes
  }

  return {
    add(segment: Segment, at: number): void {
      const incoming = segment.target === decoy
      if (!incoming && segment.source !== decoy) return
      const other = incoming ? segment.source : segment.target
      const [own, far] = incoming ? [segment.targetPort, segment.sourcePort] : [segment.sourcePort, segment.targetPort]
      window.partner(pseudonym(other))
      if (!incoming && segment.protocol === udp && far === 53) window.name(nameKind(segment.payload))
      const flow = flowOf(`${segment.protocol} ${own} ${other} ${far}`, at)
      if (incoming) toDecoy(flow, segment, at)
      else fromDecoy(flow, segment, at)
      flow.lastAt = at
      if (segment.protocol === tcp && segment.flags & (flag.reset | flag.fin)) {
        if (flow.answered > 0) window.answered(flow.answered)
        flow.answered = 0
      }
    },
    /** The features since the last call, which looked for `seconds`; conversations that are quiet for so long are forgotten. */
    take(seconds: number, now: number): Profile {
      const profile = window.profile(seconds)
      window = makeWindow(random)
      flows = new Map([...flows].filter(([, { lastAt }]) => now - lastAt < seconds * 1000))
      return profile
    },
    followed: () => flows.size,
  }
}

function makeWindow(random: Random) {
  const sample = (unit: 'ms' | 'bytes') => makeReservoir(unit, random)
  const [delays, gaps, requests, responses, windows] = [
    sample('ms'),
    sample('ms'),
    sample('bytes'),
    sample('bytes'),
    sample('bytes'),
  ]
  const sources = new Set<number>()
  const mixes = {
    client: new Map<string, number>(),
    name: new Map<string, number>(),
    partner: new Map<string, number>(),
  }
  let [asked, resets] = [0, 0]
  const count = (mix: Map<string, number>, kind: string) => {
    const key = mix.has(kind) || mix.size < mostCategories - 1 ? kind : 'other'
    mix.set(key, (mix.get(key) ?? 0) + 1)
  }
  return {
    opened(source: number, tcpWindow: number) {
      sources.add(source)
      windows.add(tcpWindow)
      asked++
    },
    refused: () => void resets++,
    came: (gap: number) => gaps.add(gap),
    delayed(wait: number, request: number) {
      delays.add(wait)
      requests.add(request)
    },
    answered: (bytes: number) => responses.add(bytes),
    client: (kind: string) => count(mixes.client, kind),
    name: (kind: string | undefined) => kind !== undefined && count(mixes.name, kind),
    partner: (kind: string) => count(mixes.partner, kind),
    profile: (seconds: number): Profile => ({
      'session.rate': { form: 'rate', count: sources.size, seconds },
      'request.rate': { form: 'rate', count: delays.feature().n, seconds },
      'response.delay': delays.feature(),
      'request.size': requests.feature(),
      'response.size': responses.feature(),
      interarrival: gaps.feature(),
      'tcp.window': windows.feature(),
      'error.share': { form: 'share', part: Math.min(resets, asked), of: asked },
      'client.kind': { form: 'mix', counts: Object.fromEntries(mixes.client) },
      'name.kind': { form: 'mix', counts: Object.fromEntries(mixes.name) },
      'partner.kind': { form: 'mix', counts: Object.fromEntries(mixes.partner) },
    }),
  }
}
