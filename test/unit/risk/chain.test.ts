import t from 'tap'
import { factsOfSource, findSource, makeHistoryRetention, techniquesOf } from '../../../controller/attackers/index.ts'
import { addException, crossingsAfter, scoresNow, shippedEvidence } from '../../../controller/risk/index.ts'
import { agentA, breakIn, decoyA, decoyB, enrol, event, makeChain } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'

const rules = shippedEvidence(24)
const attacker = '203.0.113.9'
const exception = {
  cidr: '203.0.113.0/24',
  decoy: null,
  port: null,
  from_minute: null,
  until_minute: null,
  owner: 'ops',
  reason: 'scanner',
  expires_at: new Date(startMs + 86_400_000).toISOString(),
}

t.test('a break-in crosses every threshold, with its reasons and the newest evidence’s times', async (t) => {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  chain.clock.advance(700)
  await chain.feed('events', breakIn())
  const crossings = await crossingsAfter(chain.store, 0)
  t.same(
    crossings.map(({ threshold }) => threshold),
    ['alert', 'deploy', 'reconfigure', 'block'],
  )
  t.match(crossings[3], {
    source: attacker,
    again: false,
    decoy: decoyA,
    segment,
    event_at: '2026-03-01T10:00:00.600Z',
  })
  t.ok(crossings[3]?.reasons.some(({ words }) => words === 'fetched a file: http://198.51.100.7/x.sh'))
  t.match(await factsOfSource(chain.store, attacker), {
    username: ['admin', 'root'],
    port: ['22'],
    client: ['SSH-2.0-Go'],
  })
  t.ok((await techniquesOf(chain.store, attacker)).some(({ technique }) => technique === 'T1105'))
})

t.test('events that come twice count once in the risk', async (t) => {
  const [once, twice] = [makeChain(t), makeChain(t)]
  await once.feed('events', breakIn().slice(0, 4))
  for (let i = 0; i < 5; i++) await twice.feed('events', breakIn().slice(0, 4))
  const of = async ({ store, clock }: typeof once) =>
    (await scoresNow(store, [attacker], { rules, exceptions: [], nowMs: clock.now() })).get(attacker)
  t.same(await of(twice), await of(once))
})

t.test('one touch from outside alarms nobody; one from inside a segment does', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.feed('events', [event('session.open')])
  t.same(await crossingsAfter(chain.store, 0), [])
  await chain.feed('events', [event('session.open', { session: 'in', src: { ip: '198.18.1.66' } })])
  t.match(await crossingsAfter(chain.store, 0), [{ threshold: 'alert', source: '198.18.1.66' }])
})

t.test('going from decoy to decoy weighs more than going back to one', async (t) => {
  const [wide, narrow] = [makeChain(t), makeChain(t)]
  const open = (decoy: string, i: number) => event('session.open', { decoy, session: `s${i}` }, i)
  await wide.feed('events', [open(decoyA, 1), open(decoyB, 2), open(agentA, 3)])
  await narrow.feed('events', [open(decoyA, 1), open(decoyA, 2), open(decoyA, 3)])
  const of = async ({ store, clock }: typeof wide) =>
    (await scoresNow(store, [attacker], { rules, exceptions: [], nowMs: clock.now() })).get(attacker)?.score ?? 0
  t.ok((await of(wide)) > (await of(narrow)) + 5)
})

t.test('an excepted source is kept and not scored, and scored again when its exception is over', async (t) => {
  const chain = makeChain(t)
  await chain.store.tx((sql) => addException(sql, chain.clock, exception))
  await chain.feed('events', breakIn())
  t.same(await crossingsAfter(chain.store, 0), [])
  const kept = await chain.store.get<{ n: number }>(
    'SELECT COUNT(*) AS n FROM risk_evidence WHERE source = ? AND exempt = 1',
    attacker,
  )
  t.ok((kept?.n ?? 0) > 5)
  chain.clock.advance(2 * 86_400_000)
  await chain.feed('events', breakIn({ session: 'later', at: new Date(chain.clock.now()).toISOString() }))
  t.ok((await crossingsAfter(chain.store, 0)).length > 0)
})

t.test('an exception may hold for one port and some hours only', async (t) => {
  const chain = makeChain(t)
  // 10:00 UTC is the start.
  await chain.store.tx((sql) =>
    addException(sql, chain.clock, { ...exception, port: 22, from_minute: 570, until_minute: 601 }),
  )
  await chain.feed('events', breakIn())
  t.same(await crossingsAfter(chain.store, 0), [], 'within its hours')
  chain.clock.advance(120_000)
  await chain.feed('events', [
    event('session.open', { session: 'x' }),
    event('file.download', { session: 'x', url: 'http://198.51.100.7/' }, 61_000),
  ])
  t.match(await crossingsAfter(chain.store, 0), [{ threshold: 'alert' }, { threshold: 'deploy' }], 'past them')
})

t.test('an appliance’s own address is excepted by itself', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.feed('events', breakIn({ src: { ip: '198.18.1.10' } }))
  t.same(await crossingsAfter(chain.store, 0), [])
})

t.test('a decoy’s clock that is far off neither freezes nor voids its evidence', async (t) => {
  for (const at of ['1970-01-01T00:00:10.000Z', '2031-01-01T00:00:00.000Z']) {
    const chain = makeChain(t)
    await chain.feed(
      'events',
      breakIn().map((one, i) => ({ ...one, at: at.replace('00.000', `0${i}.000`) })),
    )
    const now = async (nowMs: number) =>
      (await scoresNow(chain.store, [attacker], { rules, exceptions: [], nowMs })).get(attacker)?.score ?? 0
    t.ok((await now(startMs)) > 80)
    t.ok((await now(startMs + 30 * 86_400_000)) < 1)
  }
})

t.test('what was committed while the workers stood still is scored when they go on, each thing once', async (t) => {
  const chain = makeChain(t)
  const events = breakIn()
  await chain.commit('events', events.slice(0, 4))
  const draining = chain.runner.drain()
  await chain.commit('events', events.slice(4))
  await draining
  await chain.runner.drain()
  t.equal(
    (await chain.store.get<{ n: number }>(`SELECT count AS n FROM risk_evidence WHERE evidence = 'login.success'`))?.n,
    1,
  )
  t.equal((await crossingsAfter(chain.store, 0)).at(-1)?.threshold, 'block')
})

t.test('sessions and behaviours go when records go; the source and its risk stay known', async (t) => {
  const chain = makeChain(t)
  await chain.feed('events', breakIn())
  const left = async () =>
    Promise.all(
      ['sessions', 'session_events', 'behaviours'].map(
        async (table) => (await chain.store.get<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))?.n,
      ),
    )
  const before = await left()
  await makeHistoryRetention(chain.deps).sweep()
  t.same(await left(), before)
  chain.clock.advance(91 * 86_400_000)
  await makeHistoryRetention(chain.deps).sweep()
  t.same(await left(), [0, 0, 0])
  t.match(await findSource(chain.store, attacker), { sessions: 1, commands: 2 })
})
