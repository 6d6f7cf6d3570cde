import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askStanding, enrol, loadIdentity } from '../../agent/enrol/index.ts'
import { topicOf } from '../../shared/topics.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { clientOptions, closing, connected, nextMessage } from './controller-world.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

type Shown = {
  id: string
  name: string
  status: string
  roles: string[]
  hostname: string
  segments: { name: string }[]
}
type Made = { token: string; expiresAt: string }

async function world(t: Test) {
  const { dataDir, states } = await enrolledBefore(t, 1, ['gate-1'])
  const controller = await serving(t, dataDir)
  const old = await loadIdentity(states[0] as string)
  const { api } = controller
  const shown = () => api.get<Shown & { history: { kind: string }[] }>(`/v1/agents/${old.agent}`)
  const claim = (body: object = {}) => api.post<Made>(`/v1/agents/gate-1/replace`, body)
  const enrolNew = async (token: string, stateDir?: string) => {
    const state = stateDir ?? (await tempFolder(t))
    await enrol({ stateDir: state, token, version: '2', now: Date.now() })
    return loadIdentity(state)
  }
  return { ...controller, port: controller.ports.mqtt, old, shown, claim, enrolNew }
}

t.test('another box takes the place of a broken one, which is cut off then and wipes itself', async (t) => {
  const { port, old, shown, claim, enrolNew, deps } = await world(t)
  const before = await shown()
  const client = await connected(clientOptions(old, port))
  t.teardown(() => client.endAsync(true))
  const { token } = await claim()
  t.ok(client.connected, 'the old box watches on until the new one is there')
  const closed = closing(client)
  const box = await enrolNew(token)
  await closed
  client.end(true)
  t.match(box, { agent: old.agent, name: old.name, roles: old.roles })
  t.not(box.key, old.key)
  const { id, name, status, roles, segments, history } = await shown()
  t.match({ id, name, status, roles, segments }, { ...pick(before) })
  t.match(history.at(0), { kind: 'box replaced' })
  await t.rejects(connected(clientOptions(old, port)), 'the old certificate')
  t.match(await askStanding(old, Date.now()), { agent: old.agent, reason: /^replaced: / })
  t.equal(await askStanding(box, Date.now()), undefined, 'the order is for the old box alone')

  const fresh = await connected(clientOptions(box, port))
  t.teardown(() => fresh.endAsync(true))
  const plan = nextMessage<{ body: string }>(fresh, 'plan')
  await fresh.subscribeAsync(topicOf(box.agent, 'plan'), { qos: 1 })
  t.match(JSON.parse((await plan).body), { agent: old.agent }, 'the new box has the plan of the old one')
  t.equal((await deps.store.all('SELECT id FROM agents')).length, 1)
  await t.rejects(enrolNew(token), { code: 'TOKEN_USED' })
})

t.test('at once: the old box is out before the new one comes; a second claim voids the first', async (t) => {
  const { port, old, claim, enrolNew } = await world(t)
  const first = await claim()
  const second = await claim({ atOnce: true })
  await t.rejects(connected(clientOptions(old, port)))
  t.match(await askStanding(old, Date.now()), { reason: /^replaced/ })
  await t.rejects(enrolNew(first.token), { code: 'TOKEN_INVALID' })
  const box = await enrolNew(second.token)
  await (await connected(clientOptions(box, port))).endAsync(true)
})

t.test('a revoked agent comes back with another box; its old box does not, by its old claim neither', async (t) => {
  const { port, old, claim, enrolNew, api, shown } = await world(t)
  const stateDir = join(await tempFolder(t), 'a')
  const box = await enrolNew((await claim()).token, stateDir)
  await api.post(`/v1/agents/${old.agent}/revoke`, {})
  t.match(await shown(), { status: 'revoked' })
  const next = await enrolNew((await claim()).token)
  t.match(await shown(), { status: 'enrolled', name: 'gate-1' })
  await (await connected(clientOptions(next, port))).endAsync(true)
  for (const past of [old, box]) {
    await t.rejects(connected(clientOptions(past, port)))
    t.match(await askStanding(past, Date.now()), { agent: old.agent })
  }
})

t.test('a lost answer is not given again to a box that was replaced since', async (t) => {
  const { claim, enrolNew } = await world(t)
  const { token } = await claim()
  const lost = await tempFolder(t)
  await enrolNew(token, lost)
  await rm(join(lost, 'identity/identity.json'))
  await enrolNew(token, lost)
  await rm(join(lost, 'identity/identity.json'))
  await enrolNew((await claim()).token)
  await t.rejects(enrolNew(token, lost), { code: 'TOKEN_USED' })
})

t.test('the claim of an agent that was removed is good for nothing', async (t) => {
  const { old, claim, enrolNew, api } = await world(t)
  const { token } = await claim()
  await api.post(`/v1/agents/${old.agent}/revoke`, {})
  await api.delete(`/v1/agents/${old.agent}`)
  await t.rejects(enrolNew(token), { code: 'TOKEN_INVALID', message: /was removed/ })
})

const pick = ({ id, name, status, roles, segments }: Shown) => ({ id, name, status, roles, segments })
