import t from 'tap'
import { findDecision, listDecisions, makeExpiry, makeResponder } from '../../../controller/response/index.ts'
import { judgeBlock } from '../../../controller/response/rails.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { agentA, breakIn, decoyA, enrol, event, makeChain } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'

const attacker = '203.0.113.9'
const minute = 60_000
/** Nothing but blocks is to end here. */
const none = { deploy: async () => undefined, reconfigure: async () => undefined }

t.test('a break-in leads to one block, one more decoy and one changed decoy, and says so', async (t) => {
  const chain = makeChain(t)
  const segment = await enrol(chain)
  await chain.feed('events', breakIn())
  await chain.feed('events', breakIn({ session: 'second' }))
  t.same(chain.deployed, [segment])
  t.same(chain.reconfigured, [decoyA])
  const decisions = await listDecisions(chain.store, { limit: 10 })
  t.same(decisions.map(({ kind, status }) => `${kind} ${status}`).sort(), [
    'block active',
    'deploy active',
    'reconfigure active',
  ])
  t.match(await findDecision(chain.store, attacker), {
    target: `${attacker}/32`,
    made_by: 'risk',
    reason: /has risk \d+: /,
  })
  t.same(
    chain.heard.filter(({ name }) => name === 'blocks-changed' || name === 'plan-changed'),
    [{ name: 'blocks-changed' }, { name: 'plan-changed', agents: [agentA] }],
  )
  const list = await chain.blocks.composeBlocks(chain.store, agentA)
  t.same(
    list.entries.map(({ cidr, until }) => [cidr, until]),
    [[`${attacker}/32`, '2026-03-01T11:00:00.000Z']],
  )
  t.same(list.neverBlock.sort(), [
    '198.18.0.2/32',
    '198.18.0.3/32',
    '198.18.1.1/32',
    '198.18.1.10/32',
    '198.18.1.53/32',
  ])
})

t.test('nothing on the never-block list is blocked, by risk or by an administrator', async (t) => {
  const chain = makeChain(t, { neverBlock: ['203.0.113.0/28', '192.0.2.7'] })
  await enrol(chain)
  await chain.feed('events', breakIn())
  t.match(await findDecision(chain.store, attacker), { status: 'refused', outcome: /203\.0\.113\.0\/28/ })
  t.same((await chain.blocks.composeBlocks(chain.store, agentA)).entries, [])
  const ask = (cidr: string) =>
    chain.store.tx((sql) => chain.blocks.block(sql, { cidr, minutes: 5, reason: 'x', madeBy: 'admin' }))
  for (const cidr of [
    '192.0.2.0/24',
    '198.18.1.1',
    '198.18.1.10/32',
    '198.18.1.53',
    '198.18.0.2',
    '198.18.0.3',
    '198.18.1.50',
  ])
    await t.rejects(ask(cidr.includes('/') ? cidr : `${cidr}/32`), { code: 'NEVER_BLOCK' }, cidr)
  await t.rejects(ask('198.51.100.0/23'), { code: 'USAGE' }, 'too wide')
  t.match(await ask('198.51.100.0/24'), { decision: { status: 'active' } })
})

t.test('the rails bound how much risk may block, not what an administrator may', async (t) => {
  const o = { protected: [], madeInLastHour: 60, maxPerHour: 60 }
  t.match(judgeBlock({ cidr: '192.0.2.1/32', madeBy: 'risk' }, o), { ok: false, code: 'too-many' })
  t.same(judgeBlock({ cidr: '192.0.2.1/32', madeBy: 'admin' }, o), { ok: true })
  t.match(judgeBlock({ cidr: '192.0.2.0/31', madeBy: 'risk' }, { ...o, madeInLastHour: 0 }), {
    ok: false,
    code: 'too-wide',
  })
})

t.test('where risk has reached its limit, or may not block by itself, blocks wait for an administrator', async (t) => {
  for (const overrides of [{ response: { maxBlocksPerHour: 0 } }, { risk: { autoBlock: false } }]) {
    const chain = makeChain(t, overrides)
    await chain.feed('events', breakIn())
    const proposal = await findDecision(chain.store, attacker)
    t.equal(proposal.status, 'proposed')
    t.same((await chain.blocks.composeBlocks(chain.store, agentA)).entries, [])
    chain.clock.advance(10 * minute)
    const { decision } = await chain.store.tx((sql) => chain.blocks.accept(sql, proposal))
    t.match(decision, { status: 'active', expires_at: new Date(startMs + 70 * minute).toISOString() })
    t.equal((await chain.blocks.composeBlocks(chain.store, agentA)).entries.length, 1)
  }
})

t.test('a block is renewed while the attacker goes on, and a long one is never cut short', async (t) => {
  const chain = makeChain(t)
  await chain.feed('events', breakIn())
  const made = await findDecision(chain.store, attacker)
  chain.clock.advance(40 * minute)
  await chain.feed('events', [event('session.open', { session: 'again' }, 40 * minute)])
  t.match(await findDecision(chain.store, attacker), {
    id: made.id,
    expires_at: new Date(startMs + 100 * minute).toISOString(),
  })
  const day = { cidr: `${attacker}/32`, minutes: 1440, reason: 'x', madeBy: 'admin' as const }
  const { decision } = await chain.store.tx((sql) => chain.blocks.block(sql, day))
  const shorter = await chain.store.tx((sql) => chain.blocks.block(sql, { ...day, minutes: 1 }))
  t.equal(shorter.decision.expires_at, decision.expires_at)
})

t.test('a block ends to the moment, and a source that comes back is blocked again', async (t) => {
  const chain = makeChain(t)
  await chain.feed('events', breakIn())
  const expiry = makeExpiry(chain.deps, chain.blocks, none)
  t.teardown(() => expiry.stop())
  await expiry.start(new AbortController().signal)
  const changed = new Promise((resolve) => chain.bus.on('blocks-changed', () => resolve(undefined)))
  await chain.clock.asleep()
  chain.clock.advance(60 * minute)
  await changed
  t.match(await findDecision(chain.store, attacker), { status: 'expired' })
  t.same((await chain.blocks.composeBlocks(chain.store, agentA)).entries, [])
  await chain.feed('events', [event('login.failed', { session: 'again', username: 'root' }, 61 * minute)])
  t.match(await findDecision(chain.store, attacker), { status: 'active' })
})

t.test('a decoy action that is refused undoes what it had begun, is written down, and is told', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  const refused: string[] = []
  const responder = makeResponder(chain.deps, chain.blocks, {
    deployOne: async (sql) => {
      await sql.run(`INSERT INTO sites VALUES ('half', 'done')`)
      throw new MarshlightError('NO_FREE_ADDRESS', { cidr: '198.18.1.0/24', why: 'all are taken' })
    },
    reconfigure: async () => undefined,
    refused: async (_sql, { code }) => {
      refused.push(code)
      return []
    },
  })
  await chain.commit('events', breakIn())
  await chain.runner.drain()
  await responder.respond()
  t.same(refused, ['NO_FREE_ADDRESS'])
  t.equal(await chain.store.get(`SELECT 1 FROM sites WHERE id = 'half'`), undefined)
  const [deploy] = await listDecisions(chain.store, { kind: 'deploy', limit: 1 })
  t.match(deploy, { status: 'refused', outcome: /no free address/ })
})

t.test('a crossing is answered once, though responders are woken often or start anew', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.feed('events', breakIn())
  const again = makeResponder(chain.deps, chain.blocks, {
    deployOne: async () => t.fail('a second decoy'),
    reconfigure: async () => t.fail('a second change'),
  })
  await Promise.all([again.respond(), chain.responder.respond(), again.respond()])
  t.equal((await listDecisions(chain.store, { limit: 10 })).length, 3)
})
