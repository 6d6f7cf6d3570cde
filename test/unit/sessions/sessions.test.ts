import { createHash } from 'node:crypto'
import t from 'tap'
import { findSession, listSessions, timelineOf, ttysOf } from '../../../controller/sessions/index.ts'
import { storePart } from '../../../controller/store/blobs.ts'
import { seededRandom } from '../../../shared/random.ts'
import { agentA, breakIn, decoyA, enrol, event, makeChain } from './chain.ts'

t.test('a session is the same in whatever order its events come, and however often', async (t) => {
  const random = seededRandom('orders')
  const facts: unknown[] = []
  for (let round = 0; round < 12; round++) {
    const chain = makeChain(t)
    await enrol(chain)
    const events = breakIn()
    if (round > 0) events.sort(() => random() - 0.5)
    const doubled = round === 0 ? events : [...events, ...events.slice(0, 1 + Math.floor(random() * events.length))]
    for (let at = 0; at < doubled.length; at += 4) await chain.feed('events', doubled.slice(at, at + 4))
    const { id: _, segment: _segment, ...session } = await findSession(chain.store, 'aaaa')
    facts.push(session)
  }
  for (const one of facts) t.same(one, facts[0])
  t.match(facts[0], {
    source: '203.0.113.9',
    source_port: 40000,
    events: 9,
    tries: 2,
    success: 1,
    username: 'root',
    commands: 2,
    downloads: 1,
    client_version: 'SSH-2.0-Go',
    opened_at: '2026-03-01T10:00:00.000Z',
    closed_at: '2026-03-01T10:00:00.700Z',
  })
})

t.test('an event that was read again under another plan revision is known as the same', async (t) => {
  const chain = makeChain(t)
  await chain.feed('events', [event('command', { command: 'id' }), event('command', { command: 'id', revision: 2 })])
  t.equal((await findSession(chain.store, 'aaaa')).commands, 1)
})

t.test('sessions of one name at two decoys are two, and a name that fits both is ambiguous', async (t) => {
  const chain = makeChain(t)
  await chain.feed('events', [event('session.open'), event('session.open', { decoy: agentA.replace(/^./, 'f') })])
  await t.rejects(findSession(chain.store, 'aaaaaaaaaaaa'), { code: 'AMBIGUOUS' })
  await t.rejects(findSession(chain.store, 'zzz'), { code: 'NOT_FOUND' })
})

t.test('sessions are found by source, decoy, time and the words of a command', async (t) => {
  const chain = makeChain(t)
  await chain.feed('events', [
    ...breakIn(),
    event('session.open', { session: 'bbbb', src: { ip: '203.0.113.10' } }, 60_000),
    event('command', { session: 'bbbb', src: { ip: '203.0.113.10' }, command: 'echo 100%_sure' }, 60_100),
  ])
  const names = async (filter: object) =>
    (await listSessions(chain.store, { limit: 10, ...filter })).map(({ session }) => session)
  t.same(await names({}), ['bbbb', 'aaaaaaaaaaaa'])
  t.same(await names({ source: '203.0.113.10' }), ['bbbb'])
  t.same(await names({ text: 'WGET' }), ['aaaaaaaaaaaa'])
  t.same(await names({ text: '100%_s' }), ['bbbb'], 'wildcards are letters like others')
  t.same(await names({ text: '1_0' }), [])
  t.same(await names({ since: '2026-03-01T10:00:30.000Z' }), ['bbbb'])
  t.same(await names({ success: true }), ['aaaaaaaaaaaa'])
  t.same(await names({ decoy: decoyA.slice(0, 20) }), ['bbbb', 'aaaaaaaaaaaa'])
})

t.test('the timeline is in the decoy’s order, with what was typed', async (t) => {
  const chain = makeChain(t)
  await chain.feed('events', breakIn().reverse())
  const session = await findSession(chain.store, 'aaaa')
  const timeline = await timelineOf(chain.store, session.id)
  t.same(
    timeline.map(({ kind }) => kind),
    breakIn().map(({ kind }) => kind),
  )
  t.match(timeline[3], { username: 'admin', password: 'admin' })
})

t.test('a terminal log is found by its session, before or after the session’s events', async (t) => {
  const chain = makeChain(t)
  const data = Buffer.from('a log')
  const sha256 = createHash('sha256').update(data).digest('hex')
  const part = {
    type: 'file' as const,
    at: '2026-03-01T10:00:01.000Z',
    decoy: decoyA,
    session: 'aaaaaaaaaaaa',
    kind: 'tty' as const,
    sha256,
    size: data.length,
    originalSize: data.length,
    part: 0,
    parts: 1,
    data: data.toString('base64'),
  }
  await chain.store.tx((sql) => storePart(sql, agentA, part, part.at))
  await chain.feed('files', [part])
  await chain.feed('events', breakIn())
  const session = await findSession(chain.store, 'aaaa')
  t.equal(session.service, 'cowrie')
  t.same(
    (await ttysOf(chain.store, session.id)).map((log) => log.data.toString()),
    ['a log'],
  )
})
