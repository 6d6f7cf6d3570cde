import t from 'tap'
import { listAlerts, makeWatch, raise } from '../../../controller/alerts/index.ts'
import { agentA, breakIn, decoyA, decoyB, enrol, event, makeChain } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'

const minute = 60_000
const all = { limit: 100 }
const at = (afterMs: number) => new Date(startMs + afterMs).toISOString()

t.test('a scan over many decoys is one alert, which grows graver and keeps its first times', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  chain.clock.advance(50)
  for (const [i, decoy] of [decoyA, decoyB, agentA].entries())
    await chain.feed('events', [event('session.open', { decoy, session: `s${i}` }, i)])
  await chain.feed('events', breakIn({ session: 'in' }))
  const alerts = await listAlerts(chain.store, all)
  t.equal(alerts.length, 1)
  t.match(alerts[0], {
    kind: 'risk',
    subject: '203.0.113.9',
    severity: 'critical',
    status: 'open',
    event_at: at(1),
    created_at: at(50),
  })
  t.ok((alerts[0]?.count ?? 0) >= 2)
  t.ok(alerts[0]?.reasons.includes('logged in as root'))
  t.same(new Set(chain.heard.flatMap((one) => (one.name === 'alert' ? one.id : []))), new Set([alerts[0]?.id]))
})

t.test(
  'each source that breaks in raises its alert as soon as its event is worked on, without any time passing',
  async (t) => {
    const chain = makeChain(t)
    await enrol(chain)
    await chain.riskAlerts.start(new AbortController().signal)
    t.teardown(() => chain.riskAlerts.stop())
    for (let i = 0; i < 5; i++) {
      const ip = `203.0.113.${i + 1}`
      await chain.commit('events', breakIn({ session: `s${i}`, src: { ip } }))
      const alerted = new Promise((resolve) => chain.bus.on('alert', resolve))
      // The clock of the chain stands still: nothing here waits for a timer.
      void chain.runner.drain()
      await alerted
      const alerts = await listAlerts(chain.store, all)
      t.ok(
        alerts.some(({ subject }) => subject === ip),
        ip,
      )
      await chain.runner.drain()
    }
  },
)

t.test('alerts of one kind and subject are one within the grouping time, and another after it', async (t) => {
  const chain = makeChain(t)
  const cause = { kind: 'notice', subject: 'x', severity: 'warning', title: 'T', reasons: [] } as const
  const tell = (more = {}) => chain.store.tx((sql) => raise(sql, chain.deps, { ...cause, reasons: [], ...more }))
  await tell()
  chain.clock.advance(29 * minute)
  t.match(await tell(), { count: 2 })
  await tell({ subject: 'y' })
  chain.clock.advance(31 * minute)
  t.match(await tell(), { count: 1 })
  t.equal((await listAlerts(chain.store, all)).length, 3)
})

t.test('a silent agent alerts once, after its time, and the alert closes when it is heard again', async (t) => {
  const silent = { ...all, kind: 'silent-agent' }
  const chain = makeChain(t)
  await enrol(chain)
  const watch = makeWatch(chain.deps)
  const presence = (status: string, seen: string) =>
    chain.store.run(
      'UPDATE agents SET presence = ?, presence_at = ?, last_seen = ?',
      status,
      at(chain.clock.now() - startMs),
      seen,
    )
  await watch.look()
  t.same(await listAlerts(chain.store, silent), [], 'one that never came is not silent')
  await presence('offline', at(0))
  chain.clock.advance(9_000)
  await watch.look()
  t.same(await listAlerts(chain.store, silent), [])
  chain.clock.advance(1_000)
  await watch.look()
  await watch.look()
  t.match(await listAlerts(chain.store, silent), [
    { kind: 'silent-agent', subject: agentA, title: 'agent box-a is silent', count: 1, status: 'open' },
  ])
  await presence('online', at(10_000))
  await watch.look()
  t.match(await listAlerts(chain.store, silent), [{ status: 'closed', ended_why: 'it is heard again' }])
  chain.clock.advance(91_000)
  await watch.look()
  t.match(await listAlerts(chain.store, { ...silent, status: 'open' }), [
    { kind: 'silent-agent', reasons: [/sends nothing/] },
  ])
})

t.test('the alert of a silent agent closes when it is revoked', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  const watch = makeWatch(chain.deps)
  await chain.store.run(`UPDATE agents SET presence = 'offline', presence_at = ?`, at(0))
  chain.clock.advance(10_000)
  await watch.look()
  t.match(await listAlerts(chain.store, all), [{ kind: 'silent-agent', status: 'open' }])
  await chain.store.run(`UPDATE agents SET status = 'revoked'`)
  await watch.look()
  t.match(await listAlerts(chain.store, all), [{ status: 'closed', ended_why: 'it is no longer enrolled' }])
})

t.test('lost records, dead letters and agents’ errors alert, each thing once', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  const watch = makeWatch(chain.deps)
  await chain.store.run(
    `INSERT INTO losses (agent, stream, epoch, first, last, reason, at) VALUES (?, 'events', 'e', 5, 14, 'disk-full', ?)`,
    agentA,
    at(0),
  )
  await chain.store.run(
    `INSERT INTO dead_letters (agent, topic, at, why, size, payload) VALUES (?, 't', ?, 'not JSON', 1, x'00')`,
    agentA,
    at(0),
  )
  await chain.feed('state', [
    { type: 'notice', at: at(0), level: 'error', code: 'NO_FREE_ADDRESS', message: 'no free address in 198.18.1.0/24' },
    { type: 'notice', at: at(0), level: 'info', code: 'ORPHAN_REMOVED', message: 'x' },
  ])
  await watch.look()
  await watch.look()
  const found = (await listAlerts(chain.store, all)).map(({ kind, title, count }) => [kind, title, count])
  t.same(found.sort(), [
    ['dead-letters', '1 messages of box-a could not be used', 1],
    ['no-free-address', 'agent box-a reports NO_FREE_ADDRESS', 1],
    ['records-lost', '10 records of box-a were lost', 1],
  ])
})
