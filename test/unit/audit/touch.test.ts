import t from 'tap'
import { listAlerts } from '../../../controller/alerts/index.ts'
import { findRun, lastLooks } from '../../../controller/audit/index.ts'
import { addException } from '../../../controller/risk/index.ts'
import { listSessions } from '../../../controller/sessions/index.ts'
import { newId } from '../../../shared/ids.ts'
import { agentA, breakIn, type Chain, decoyA, enrol, event, makeChain } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'

const place = { ip: '198.18.1.77', from: 41_000, to: 42_023 }

async function ordered(chain: Chain, segment: string, kind: 'audit' | 'touch', name = 'mabcdefgh123') {
  const id = newId(startMs)
  const at = (ms: number) => new Date(startMs + ms).toISOString()
  await chain.store.run(
    `INSERT INTO audit_runs (id, kind, decoy, agent, segment, reason, status, created_at, ip, mac, port_from, port_to, from_at, until_at, username)
     VALUES (?, ?, ?, ?, ?, 'admin', 'running', ?, ?, '00:50:56:00:00:01', ?, ?, ?, ?, ?)`,
    id,
    kind,
    decoyA,
    agentA,
    segment,
    at(0),
    place.ip,
    place.from,
    place.to,
    at(0),
    at(60_000),
    name,
  )
  return id
}

t.test('what an audit does at a decoy is marked, and raises nobody’s risk', async (t) => {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  const id = await ordered(chain, segment, 'audit')
  await chain.feed('events', breakIn({ src: { ip: place.ip, port: 41_500 }, session: 'ours' }))
  t.same(await listSessions(chain.store, { limit: 9 }), [], 'analysts are not shown it')
  t.match(await listSessions(chain.store, { limit: 9, audit: true }), [{ session: 'ours', audit: id, commands: 2 }])
  t.equal(await chain.store.get('SELECT * FROM sources WHERE ip = ?', place.ip), undefined)
  t.same(await listAlerts(chain.store, { limit: 9 }), [])
})

t.test('an audit of a box whose clock is wrong is known by when it is told', async (t) => {
  for (const ms of [-180_000, 180_000]) {
    const chain = makeChain(t)
    const id = await ordered(chain, await enrol(chain), 'audit')
    const deeds = breakIn({ src: { ip: place.ip, port: 41_500 }, session: 'ours' })
    await chain.feed(
      'events',
      deeds.map((one) => ({ ...one, at: new Date(Date.parse(one.at) + ms).toISOString() })),
    )
    t.match(await listSessions(chain.store, { limit: 9, audit: true }), [{ session: 'ours', audit: id }])
    t.same(await listAlerts(chain.store, { limit: 9 }), [])
  }
})

t.test('the same deeds from another port, at another time, of another agent or decoy are an attacker’s', async (t) => {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  await ordered(chain, segment, 'audit')
  const later = (ms: number) =>
    breakIn({ src: { ip: place.ip, port: 41_500 } }).map((one) => ({
      ...one,
      at: new Date(Date.parse(one.at) + ms).toISOString(),
      session: 'late',
    }))
  await chain.feed('events', breakIn({ src: { ip: place.ip, port: 40_999 }, session: 'port' }))
  await chain.feed('events', breakIn({ src: { ip: place.ip, port: 41_500 }, session: 'decoy', decoy: newId(startMs) }))
  chain.clock.advance(95_000)
  await chain.feed('events', later(95_000))
  const seen = await listSessions(chain.store, { limit: 9 })
  t.same(seen.map(({ session }) => session).sort(), ['decoy', 'late', 'port'])
  t.match(await listAlerts(chain.store, { limit: 9 }), [{ kind: 'risk', subject: place.ip }])
})

t.test('a touch becomes an alert that nobody is bothered with, and its time is known', async (t) => {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  await ordered(chain, segment, 'touch')
  const mine = { src: { ip: place.ip, port: 41_001 }, session: 'touch' }
  chain.clock.advance(120)
  await chain.feed('events', [
    event('session.open', mine),
    event('login.failed', { ...mine, username: 'mabcdefgh123' }),
  ])
  t.match((await lastLooks(chain.store)).get(decoyA), { touchMs: 120 })
  t.same(await listAlerts(chain.store, { limit: 9 }), [], 'not among the alerts')
  t.match(await listAlerts(chain.store, { kind: 'touch', limit: 9 }), [{ subject: decoyA, status: 'closed' }])
  t.notMatch(chain.heard, [{ name: 'alert' }], 'no channel heard of it')
})

const webhook = { name: 'desk', url: 'http://127.0.0.1:9/', secretFile: '/none', minScore: 40 }
const mine = { src: { ip: place.ip, port: 41_001 }, session: 'touch' }
const logIn = () => [event('session.open', mine), event('login.failed', { ...mine, username: 'mabcdefgh123' })]
const lost = (chain: Chain) => listAlerts(chain.store, { kind: 'touch-lost', status: 'open', limit: 9 })

t.test('a touch goes through risk, threshold, alert and outbox, and leaves nothing of it behind', async (t) => {
  const chain = makeChain(t, { alerts: { webhooks: [webhook] } })
  const id = await ordered(chain, await enrol(chain), 'touch')
  const tables = [
    'sources',
    'source_facts',
    'behaviours',
    'risk_evidence',
    'risk_scores',
    'risk_levels',
    'risk_crossings',
  ]
  await chain.feed('events', logIn())
  for (const table of [...tables, 'alert_outbox', 'decisions'])
    t.same(await chain.store.all(`SELECT * FROM ${table}`), [], table)
  t.match(
    await chain.store.all('SELECT DISTINCT audit FROM session_events'),
    [{ audit: id }],
    'it is ours all the same',
  )
  const [alert] = await listAlerts(chain.store, { kind: 'touch', limit: 9 })
  t.match(alert?.reasons, [/with risk 4\d/, /inside a segment/])
  t.match(await findRun(chain.store, id), { status: 'done', outcome: 'alert' })
  t.same(await lost(chain), [])
})

t.test('where thresholds or exceptions want no alert, the touch says so and is not lost', async (t) => {
  const some = makeChain(t, { risk: { thresholds: { alert: 60 } }, alerts: { webhooks: [webhook] } })
  const repeated = await ordered(some, await enrol(some), 'touch')
  await some.feed('events', logIn())
  t.match(await findRun(some.store, repeated), { status: 'done', outcome: 'if-repeated', why: /risk gave 4\d/ })
  t.match(await listAlerts(some.store, { kind: 'touch', limit: 9 }), [{ reasons: [/had it gone on/] }])
  t.same([...(await lost(some)), ...(await some.store.all('SELECT * FROM risk_crossings'))], [])

  const high = makeChain(t, { risk: { thresholds: { alert: 95 } } })
  const below = await ordered(high, await enrol(high), 'touch')
  await high.feed('events', logIn())
  t.match(await findRun(high.store, below), { status: 'done', outcome: 'below', why: /below the threshold/ })
  t.same([...(await lost(high)), ...(await listAlerts(high.store, { kind: 'touch', limit: 9 }))], [])

  const excepted = makeChain(t)
  const exempt = await ordered(excepted, await enrol(excepted), 'touch')
  const wide = { cidr: '198.18.1.0/24', decoy: null, port: null, from_minute: null, until_minute: null }
  const until = { expires_at: '2027-01-01T00:00:00.000Z' }
  await addException(excepted.store, excepted.clock, { ...wide, owner: 'ops', reason: 'scanners', ...until })
  await excepted.feed('events', logIn())
  t.match(await findRun(excepted.store, exempt), { status: 'done', outcome: 'exempt' })
  t.same(await lost(excepted), [])
})

t.test('whatever is broken on the way makes the touch fail, with an alert that says what', async (t) => {
  const at = new Date(startMs).toISOString()
  const breaks: [RegExp, (chain: Chain) => Promise<unknown>][] = [
    [
      /nobody makes alerts/,
      async (chain) => {
        await chain.store.run(
          `INSERT INTO risk_crossings (source, threshold, again, score, reasons, event_at, received_at, at)
           VALUES ('203.0.113.1', 'alert', 0, 50, '[]', ?, ?, ?)`,
          ...[at, at, at],
        )
        chain.clock.advance(30_000)
      },
    ],
    [
      /the channel desk takes no alerts: it answered 503/,
      (chain) =>
        chain.store.run(
          `INSERT INTO alert_outbox (id, alert, channel, payload, status, attempts, next_at, created_at, last_error)
           VALUES ('o', 'a', 'desk', '{}', 'pending', 3, ?, ?, 'it answered 503')`,
          ...[at, at],
        ),
    ],
    // As a fault of these rooms would leave it: nothing is known of sources, no crossing is taken.
    [/none was raised/, (chain) => chain.store.run(`INSERT INTO cursors (worker, pos) VALUES ('alerts', 1000000)`)],
    [
      /none was raised/,
      (chain) => chain.store.run('CREATE TRIGGER b BEFORE INSERT ON behaviours BEGIN SELECT RAISE(IGNORE); END'),
    ],
    [/somebody else’s/, (chain) => chain.store.run(`UPDATE audit_runs SET until_at = ?`, new Date(0).toISOString())],
  ]
  for (const [words, break_] of breaks) {
    const chain = makeChain(t, { alerts: { webhooks: [webhook] } })
    const id = await ordered(chain, await enrol(chain), 'touch')
    await break_(chain)
    await chain.feed('events', logIn())
    t.match(await findRun(chain.store, id), { status: 'failed', why: words })
    t.match(await lost(chain), [{ subject: decoyA, severity: 'high', reasons: [words] }])
  }
})

t.test('a service without log-ins is proved by what comes from the touch’s own place', async (t) => {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  await ordered(chain, segment, 'touch', '')
  await chain.feed('events', [event('session.open', { src: { ip: place.ip, port: 40_000 }, session: 'other' })])
  t.equal((await lastLooks(chain.store)).get(decoyA), undefined, 'another port is another host')
  await chain.feed('events', [event('session.open', { src: { ip: place.ip, port: 41_001 }, session: 'own' })])
  t.match((await lastLooks(chain.store)).get(decoyA), { touchMs: 0 })
})
