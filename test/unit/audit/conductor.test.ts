import t from 'tap'
import { listAlerts } from '../../../controller/alerts/index.ts'
import { dueNow, type Standing } from '../../../controller/audit/due.ts'
import { queueRun, runsOf } from '../../../controller/audit/index.ts'
import { judge } from '../../../controller/audit/judge.ts'
import { listDecoys, readDecoy } from '../../../controller/decoys/index.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { newId } from '../../../shared/ids.ts'
import type { AuditFinding } from '../../../shared/schemas/audit.ts'
import { type Reply, request } from '../../../shared/schemas/desired-state.ts'
import { iso } from '../segments/fleet.ts'
import { auditWorld } from './audit-world.ts'

t.test('a fresh decoy is looked at from a place of its own, beside hosts like it', async (t) => {
  const { asked, kinds, look, ready, clock, report, decoy, ip, store, reply, ids } = await auditWorld(t)
  await look()
  t.same(kinds(), [], 'not before it answers')
  await ready(1)
  await look()
  t.same(kinds(), [], 'nor at once')
  clock.move(61)
  const answered = Promise.withResolvers<Reply>()
  reply(() => answered.promise)
  await look()
  const [op] = asked
  const signed = { kind: 'request', agent: newId(), id: newId(), issuedAt: iso(0), expiresAt: iso(9), op }
  t.equal(request.safeParse(signed).success, true, 'an order that an agent takes')
  if (op?.name !== 'audit') throw new Error('no audit')
  t.match(op, { decoy, beside: [{ ip: '198.18.1.10', ports: [22] }, { ip: '198.18.1.11' }] })
  t.match(op.from.ip, /^198\.18\.1\./)
  t.notOk([ip, '198.18.1.1', '198.18.1.2', '198.18.1.3', '198.18.1.10', '198.18.1.11'].includes(op.from.ip))
  const touch = {
    kind: 'touch' as const,
    reason: 'admin' as const,
    decoy: { id: decoy, agent: ids.agent, segment: ids.segment },
  }
  await store.tx((sql) => queueRun(sql, touch, clock.now()))
  await look()
  t.equal(asked.length, 1, 'one at a time on an appliance')
  answered.resolve({ id: newId(), at: iso(0), ok: true })
  await look()
  await look()
  t.same(kinds(), ['audit', 'touch'])
  t.same(await report(90, 1, newId()), [], 'another agent’s word does not count')
  await report(90, 1)
  t.match((await runsOf(store, decoy, 'audit', 1))[0], { status: 'done', score: 90, outcome: 'kept', reason: 'deploy' })
})

t.test('a fresh version that is told apart goes back to the one that passed', async (t) => {
  const { look, ready, report, clock, decoy, store, actions } = await auditWorld(t)
  await ready(1)
  clock.move(61)
  await look()
  await report(80, 1)
  await store.tx((sql) => actions.reconfigure(sql, decoy, 'a test'))
  clock.move(1)
  await ready(2)
  clock.move(61)
  await look()
  await look()
  await look()
  const events = await report(30, 2)
  t.match(events, [{ name: 'plan-changed' }, { name: 'alert' }])
  t.match(await readDecoy(store, decoy), { personaVersion: 1, status: 'wanted' })
  t.match(await listAlerts(store, { kind: 'audit', limit: 9 }), [{ subject: decoy, severity: 'warning' }])
})

t.test('a fresh decoy that is told apart leaves, one that passed before stays with an alert', async (t) => {
  const one = await auditWorld(t)
  await one.ready(1)
  one.clock.move(61)
  await one.look()
  await one.report(40, 1)
  t.match(await readDecoy(one.store, one.decoy), { status: 'retired' })
  t.same((await listDecoys(one.store)).length, 0)

  const other = await auditWorld(t)
  await other.ready(1)
  other.clock.move(61)
  await other.look()
  await other.report(70, 1)
  const { decoy, store, clock } = other
  const wish = {
    kind: 'audit' as const,
    reason: 'admin' as const,
    decoy: { id: decoy, agent: other.ids.agent, segment: other.ids.segment },
  }
  await store.tx((sql) => queueRun(sql, wish, clock.now()))
  await other.look()
  await other.look()
  await other.report(40, 1)
  t.match(await readDecoy(store, decoy), { status: 'wanted' })
  t.match(await listAlerts(store, { kind: 'audit', limit: 9 }), [{ status: 'open' }])
})

t.test('one that was seen to be unsafe always leaves, though it passed before and scores high', async (t) => {
  const unsafe: AuditFinding = {
    probe: 'outward',
    area: 'safety',
    verdict: 'differs',
    weight: 1,
    seen: '198.18.1.9:443',
    expected: '',
    words: 'it opened a connection',
  }
  for (const rebuilt of [false, true]) {
    const { asked, look, ready, report, clock, store, decoy, ids, actions } = await auditWorld(t)
    await ready(1)
    clock.move(61)
    await look()
    await report(90, 1)
    // Ids of runs are in the order of time only where time goes on.
    clock.move(1)
    if (rebuilt) {
      await store.tx((sql) => actions.reconfigure(sql, decoy, 'a test'))
      await ready(2)
    }
    const wish = {
      kind: 'audit' as const,
      reason: 'admin' as const,
      decoy: { id: decoy, agent: ids.agent, segment: ids.segment },
    }
    await store.tx((sql) => queueRun(sql, wish, clock.now()))
    while (asked.length < 2) await look()
    // The report is of the version before, which was on when the look began.
    const events = await report(90, 1, ids.agent, [unsafe])
    t.match(events, [{ name: 'plan-changed' }, { name: 'segment-changed' }, { name: 'alert' }])
    t.match(await readDecoy(store, decoy), { status: 'retired', personaVersion: rebuilt ? 2 : 1 })
    t.match(await listAlerts(store, { kind: 'audit', limit: 9 }), [
      { subject: decoy, severity: 'critical', title: /unsafe/, reasons: [/taken away/, /opened a connection/] },
    ])
    t.match((await runsOf(store, decoy, 'audit', 1))[0], { outcome: 'refused' })
  }
})

t.test('a taken address is exchanged, a touch that fails is an alert', async (t) => {
  const { look, ready, clock, store, decoy, ids, reply, asked } = await auditWorld(t)
  await ready(1)
  reply(async () => ({ id: newId(), at: iso(0), ok: false, error: { code: 'ADDRESS_TAKEN', message: 'taken' } }))
  const wish = {
    kind: 'touch' as const,
    reason: 'admin' as const,
    decoy: { id: decoy, agent: ids.agent, segment: ids.segment },
  }
  await store.tx((sql) => queueRun(sql, wish, clock.now()))
  for (let i = 0; i < 5; i++) await look()
  const touches = asked.filter((op) => op.name === 'touch')
  t.equal(touches.length, 3, 'three addresses are tried')
  t.match(await listAlerts(store, { kind: 'touch-lost', limit: 9 }), [
    { subject: decoy, severity: 'high', status: 'open' },
  ])
})

t.test('an agent that cannot be asked costs a try, and it comes again later', async (t) => {
  const { look, ready, clock, reply, kinds } = await auditWorld(t)
  await ready(1)
  clock.move(61)
  reply(async () => {
    throw new MarshlightError('CONFLICT', { what: 'the agent box is not connected', next: '' })
  })
  await look()
  await look()
  t.same(kinds().filter((name) => name === 'audit').length, 1)
  clock.move(301)
  await look()
  await look()
  t.equal(kinds().filter((name) => name === 'audit').length, 2)
})

t.test('what is due, and what follows', async (t) => {
  const rules = { enabled: true, settleSeconds: 60, everyHours: 24, touchEveryHours: 6 }
  const hour = 3_600_000
  const id = newId()
  const done = { id, status: 'done' as const, endedAt: 0 }
  const one: Standing = { decoy: 'd', readyAt: 0, audited: true, failures: 0, last: { audit: done, touch: done } }
  t.same(dueNow([one], rules, 4 * hour), [])
  t.same(dueNow([one], rules, 8 * hour), [{ decoy: 'd', kind: 'touch', reason: 'schedule' }])
  t.equal(dueNow([one], rules, 31 * hour).length, 2)
  t.same(dueNow([one], { ...rules, enabled: false }, 99 * hour), [])
  t.same(dueNow([{ ...one, last: {} }], { ...rules, everyHours: 0, touchEveryHours: 0 }, 99 * hour), [])
  const failing = { ...one, audited: false, failures: 3, last: { audit: { ...done, status: 'failed' as const } } }
  t.notMatch(dueNow([failing], rules, hour), [{ kind: 'audit' }], 'what fails again and again waits for its turn')
  t.same(judge({ score: 10, weight: 30, fresh: true }, 60), { do: 'keep' }, 'too little to judge by')
  t.same(judge({ score: 10, weight: 100, fresh: true, good: 2 }, 60), { do: 'roll-back', to: 2 })
  for (const fresh of [true, false])
    t.same(judge({ score: 99, weight: 9, fresh, good: 1, unsafe: true }, 60), { do: 'refuse' }, 'what does harm goes')
})
