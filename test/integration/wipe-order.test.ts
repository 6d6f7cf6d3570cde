import t, { type Test } from 'tap'
import { askStanding, loadIdentity, serialOf } from '../../agent/enrol/index.ts'
import { admit } from '../../controller/fleet/index.ts'
import { enrolledBefore, renewing, serving } from './enrolment-world.ts'

async function world(t: Test, days = 0) {
  const { dataDir, states } = await enrolledBefore(t, days, ['a', 'b'])
  const controller = await serving(t, dataDir)
  const [a, b] = await Promise.all(states.map((state) => loadIdentity(state)))
  if (!a || !b) throw new Error('not enrolled')
  return { controller, dataDir, states, a, b }
}
const revoke = ({ controller, a }: Awaited<ReturnType<typeof world>>) =>
  controller.api.post(`/v1/agents/${a.agent}/revoke`, { reason: 'stolen' })

t.test('only a box that was taken back is ordered to wipe, by the signature of its own controller', async (t) => {
  const both = await world(t)
  const { a, b } = both
  t.equal(await askStanding(a, Date.now()), undefined)
  await revoke(both)
  t.match(await askStanding(a, Date.now()), { agent: a.agent, serial: serialOf(a.certificate), reason: /stolen/ })
  t.equal(await askStanding(b, Date.now()), undefined)
  await t.rejects(askStanding({ ...a, agent: b.agent }, Date.now()), { code: 'DOCUMENT_FOREIGN' })
  await t.rejects(askStanding(a, Date.now() + 8 * 86_400_000), { code: 'DOCUMENT_EXPIRED' })
  const stranger = await world(t)
  await t.rejects(askStanding({ ...a, signingKey: stranger.a.signingKey }, Date.now()), { code: 'DOCUMENT_FORGED' })
  const { key: _key, certificate: _certificate, ...none } = a
  await t.rejects(askStanding({ ...none } as typeof a, Date.now()), { message: /certificate/ })
})

t.test('a box whose certificate ended meanwhile is told all the same; one that is merely late is not', async (t) => {
  const both = await world(t, 400)
  t.equal(await askStanding(both.a, Date.now()), undefined)
  await revoke(both)
  t.match(await askStanding(both.a, Date.now()), { agent: both.a.agent })
})

t.test('a controller that lacks an agent since a backup was put back wipes nobody', async (t) => {
  const { controller, a } = await world(t)
  await controller.deps.store.run('DELETE FROM agent_segments')
  await controller.deps.store.run('DELETE FROM agents')
  t.equal(await askStanding(a, Date.now()), undefined)
})

t.test('a certificate that a renewal ended is refused, and no reason to wipe', async (t) => {
  const { controller, states, a } = await world(t, 300)
  const renewal = await renewing(t, states[0] as string)
  await renewal.came
  const { store } = controller.deps
  const peer = { agent: a.agent, serial: serialOf(renewal.current().certificate) }
  t.match(await store.tx((sql) => admit(sql, peer, new Date().toISOString())), { renewed: true })
  t.equal(await askStanding(a, Date.now()), undefined)
})
