import t from 'tap'
import { listAlerts } from '../../../controller/alerts/index.ts'
import { lastLooks } from '../../../controller/audit/index.ts'
import { listSessions } from '../../../controller/sessions/index.ts'
import { newId } from '../../../shared/ids.ts'
import { agentA, breakIn, type Chain, decoyA, enrol, event, makeChain, startMs } from '../sessions/chain.ts'

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
  await chain.feed('events', later(95_000))
  await chain.feed('events', breakIn({ src: { ip: place.ip, port: 41_500 }, session: 'decoy', decoy: newId(startMs) }))
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

t.test('a service without log-ins is proved by what comes from the touch’s own place', async (t) => {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  await ordered(chain, segment, 'touch', '')
  await chain.feed('events', [event('session.open', { src: { ip: place.ip, port: 40_000 }, session: 'other' })])
  t.equal((await lastLooks(chain.store)).get(decoyA), undefined, 'another port is another host')
  await chain.feed('events', [event('session.open', { src: { ip: place.ip, port: 41_001 }, session: 'own' })])
  t.match((await lastLooks(chain.store)).get(decoyA), { touchMs: 0 })
})
