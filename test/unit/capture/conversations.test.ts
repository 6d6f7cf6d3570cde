import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeConversations, type SeenConversation } from '../../../agent/capture/conversations.ts'
import { decode, flag, type Segment, tcp, udp } from '../../../agent/capture/decode.ts'
import { makePcapReader } from '../../../agent/capture/pcap.ts'
import type { Conversation } from '../../../agent/mimicry/conversation.ts'

const [client, server] = [1, 2]
const from = (side: number, more: Partial<Segment>): Segment => ({
  protocol: tcp,
  ...(side === client
    ? { source: client, sourcePort: 40000, target: server, targetPort: 443 }
    : { source: server, sourcePort: 443, target: client, targetPort: 40000 }),
  flags: flag.ack,
  window: 1000,
  sequence: 0,
  bytes: 0,
  payload: Buffer.alloc(0),
  ...more,
})
const heard = (...segments: [number, Segment][]) => {
  const talks = makeConversations()
  for (const [at, segment] of segments) talks.add(segment, at)
  return talks
}

t.test('requests and responses take turns; what is sent again counts once', async (t) => {
  // The numbers of the client wrap in between.
  const top = 0xffffffff
  const talks = heard(
    [1000, from(client, { flags: flag.syn, sequence: top - 50 })],
    [1001, from(server, { flags: flag.syn | flag.ack, sequence: 7 })],
    [1010, from(client, { sequence: top - 49, bytes: 100 })],
    [1200, from(client, { sequence: top - 49, bytes: 100 })],
    [1250, from(server, { sequence: 8, bytes: 1000 })],
    [1260, from(server, { sequence: 1008, bytes: 500 })],
    [3260, from(client, { sequence: 50, bytes: 30 })],
    [3270, from(server, { sequence: 1508, bytes: 60 })],
    [3280, from(client, { flags: flag.fin | flag.ack, sequence: 80 })],
  )
  t.same(talks.take(3290), [], 'it may still go on')
  const seen: Conversation[] = talks.take(5000)
  t.strictSame(seen, [
    {
      at: 1000,
      kind: 'https',
      exchanges: [
        { request: 100, response: 1500, pauseMs: 10 },
        { request: 30, response: 60, pauseMs: 2000 },
      ],
    },
  ])
  t.same(talks.take(500_000), [], 'given once')
})

t.test('one that had begun before, and one without data, say nothing', async (t) => {
  t.same(heard([0, from(client, { bytes: 100 })], [9, from(server, { bytes: 100 })]).take(1e6), [])
  t.same(heard([0, from(client, { flags: flag.syn })], [1, from(server, { flags: flag.reset })]).take(1e6), [])
  const answer = from(server, { protocol: udp, sourcePort: 53, targetPort: 40000, bytes: 90 })
  t.same(heard([0, answer]).take(1e6), [], 'an answer to what was not heard')
})

t.test('what a server says first belongs to its first response; datagrams end by silence', async (t) => {
  const talks = heard(
    [0, from(client, { flags: flag.syn, sequence: 1 })],
    [5, from(server, { sequence: 1, bytes: 40 })],
    [9, from(client, { sequence: 2, bytes: 20 })],
    [12, from(server, { sequence: 41, bytes: 900 })],
  )
  const dns = { protocol: udp, sourcePort: 5000, targetPort: 53, bytes: 40 }
  talks.add(from(client, dns), 10)
  talks.add(from(server, { ...dns, sourcePort: 53, targetPort: 5000, bytes: 90 }), 15)
  talks.add(from(client, dns), 60_000)
  t.match(
    talks.take(100_000).map(({ kind, exchanges }) => [kind, exchanges]),
    [
      ['dns', [{ request: 40, response: 90, pauseMs: 0 }]],
      ['dns', [{ request: 40, response: 0, pauseMs: 0 }]],
    ],
  )
  t.match(talks.take(200_000), [{ kind: 'https', exchanges: [{ request: 20, response: 940, pauseMs: 4 }] }])
  t.equal(talks.followed(), 0)
})

t.test('of two datagrams each has its own answer, whether it came between them or after both', async (t) => {
  const asked = (at: number) =>
    [at, from(client, { protocol: udp, sourcePort: 5000, targetPort: 53, bytes: 40 })] as const
  const answered = (at: number, bytes: number) =>
    [at, from(server, { protocol: udp, sourcePort: 53, targetPort: 5000, bytes })] as const
  const delays: number[] = []
  const talks = (...packets: (readonly [number, Segment])[]) => {
    const all = makeConversations({}, { answered: (delayMs) => delays.push(delayMs) })
    for (const [at, segment] of packets) all.add(segment, at)
    return all.take(1e6).flatMap(({ exchanges }) => exchanges)
  }
  const own = [
    { request: 40, response: 90, pauseMs: 0 },
    { request: 40, response: 60, pauseMs: 1 },
  ]
  t.same(talks(asked(0), asked(1), answered(5, 90), answered(7, 60)), own)
  t.same(delays, [5, 6], 'each so long after its own question')
  t.same(talks(asked(0), answered(5, 90), asked(6), answered(7, 60)), own)
  const [, second] = talks(asked(0), answered(5, 90), asked(9), answered(11, 60), answered(12, 30))
  t.same(second, { request: 40, response: 90, pauseMs: 4 }, 'one more belongs to the last')
})

t.test('of a real capture, and bounded whatever comes', async (t) => {
  const talks = makeConversations()
  const reader = makePcapReader(({ at, frame }) => {
    const segment = decode(frame)
    if (segment) talks.add(segment, at)
  })
  reader.push(readFileSync(join(import.meta.dirname, 'conversation.pcap')))
  const seen: SeenConversation[] = talks.take(Number.MAX_SAFE_INTEGER)
  const web = seen.filter(({ kind }) => kind === 'tcp 8080')
  t.equal(web.flatMap(({ exchanges }) => exchanges).length, 12, 'three clients with four requests each')
  t.ok(
    web.flatMap(({ exchanges }) => exchanges).every(({ response }) => response === 43),
    JSON.stringify(web[0]),
  )
  const names = seen.filter(({ kind }) => kind === 'dns').flatMap(({ exchanges }) => exchanges)
  t.equal(names.length, 3, 'three questions')
  const few = makeConversations({ most: 10 })
  for (let n = 0; n < 100; n++) few.add(from(client, { protocol: udp, sourcePort: n + 2000, bytes: 10 }), n)
  t.equal(few.followed(), 10)
  t.equal(few.take(1e6).length, 10)
})
