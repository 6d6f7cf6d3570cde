import t from 'tap'
import { enforcementOf, findDecision, unenforcedOf } from '../../../controller/response/index.ts'
import { agentA, breakIn, enrol, makeChain } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'

const attacker = '203.0.113.9'
const minute = 60_000
/** Nothing but blocks is to end here. */

t.test('where and when a block is enforced, and lifted, is known from what agents read back', async (t) => {
  const chain = makeChain(t)
  await enrol(chain)
  await chain.feed('events', breakIn())
  const decision = await findDecision(chain.store, attacker)
  const desire = (revision: number, entries: { id: string }[]) =>
    chain.store.run(
      `INSERT INTO desired (agent, kind, revision, body, sig, issued_at, expires_at, content_hash) VALUES (?, 'blocks', ?, ?, '', '', '', '')
       ON CONFLICT (agent, kind) DO UPDATE SET revision = excluded.revision, body = excluded.body`,
      agentA,
      revision,
      JSON.stringify({ entries }),
    )
  const applied = (revision: number, afterMs: number) => ({
    type: 'document',
    at: new Date(startMs + afterMs).toISOString(),
    document: 'blocks',
    revision,
    outcome: 'applied',
    count: 1,
  })
  await desire(4, [{ id: decision.id }])
  await chain.feed('state', [{ ...applied(4, 90), outcome: 'accepted' }, applied(3, 95)])
  t.same(await enforcementOf(chain.store, decision.id), [], 'accepted is not enforced, nor is an older revision')
  await chain.feed('state', [applied(4, 120), applied(4, 5000)])
  t.match(await enforcementOf(chain.store, decision.id), [
    { agent: agentA, name: 'box-a', revision: 4, enforced_at: '2026-03-01T10:00:00.120Z', lifted_at: null },
  ])
  await desire(5, [])
  await chain.feed('state', [applied(5, 9000)])
  t.match(await enforcementOf(chain.store, decision.id), [
    { enforced_at: '2026-03-01T10:00:00.120Z', lifted_at: '2026-03-01T10:00:09.000Z' },
  ])
})

t.test(
  'a block that an agent left out is shown as not enforced there, and what it held before as lifted',
  async (t) => {
    const chain = makeChain(t)
    await enrol(chain)
    const made = async (cidr: string) =>
      (await chain.store.tx((sql) => chain.blocks.block(sql, { cidr, minutes: 60, reason: 'x', madeBy: 'admin' })))
        .decision.id
    const ids = [await made('203.0.113.1/32'), await made('203.0.113.2/32'), await made('203.0.113.3/32')] as const
    await chain.store.run(
      `INSERT INTO desired (agent, kind, revision, body, sig, issued_at, expires_at, content_hash) VALUES (?, 'blocks', 4, ?, '', '', '', '')`,
      agentA,
      JSON.stringify({ entries: ids.map((id) => ({ id })) }),
    )
    const told = (report: object) => ({
      type: 'document',
      at: new Date(chain.clock.now()).toISOString(),
      document: 'blocks',
      revision: 4,
      outcome: 'applied',
      ...report,
    })
    const shown = async () =>
      Promise.all(
        ids.map(async (id) => {
          const where = await enforcementOf(chain.store, id)
          const not = await unenforcedOf(chain.store, id)
          return [...where.map((one) => (one.lifted_at ? 'lifted' : 'enforced')), ...not.map(({ why }) => why)].join(
            ' ',
          )
        }),
      )
    await chain.feed('state', [told({ count: 0 })])
    t.same(await shown(), ['', '', ''], 'a report that does not add up enforces nothing')
    await chain.feed('state', [told({ count: 0, expired: ids })])
    t.same(await shown(), ['expired', 'expired', 'expired'], 'an agent whose clock is two hours ahead')
    await chain.feed('state', [told({ count: 2, refused: [ids[1]] })])
    t.same(await shown(), ['enforced', 'refused', 'enforced'], 'its clock was set')
    await chain.feed('state', [told({ outcome: 'refused', code: 'BAD_SIGNATURE' })])
    t.same(await shown(), ['enforced', 'refused', 'enforced'], 'a forged list changes nothing')
    await chain.feed('state', [told({ count: 0, outcome: 'refused', refused: ids })])
    t.same(await shown(), ['lifted refused', 'refused', 'lifted refused'])
    await chain.feed('state', [told({ count: 2, refused: [ids[1]] })])
    t.same(await shown(), ['enforced', 'refused', 'enforced'])
    chain.clock.advance(61 * minute)
    await chain.feed('state', [told({ count: 0, expired: ids })])
    t.same(await shown(), ['lifted', '', 'lifted'], 'what is over by both clocks ended as it should')
  },
)
