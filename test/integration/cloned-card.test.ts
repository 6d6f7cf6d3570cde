import t, { type Test } from 'tap'
import { type Identity, loadIdentity, serialOf } from '../../agent/enrol/index.ts'
import type { Alert } from '../../controller/alerts/index.ts'
import { newId } from '../../shared/ids.ts'
import { topicOf, upTopic } from '../../shared/topics.ts'
import { eventBatch } from '../unit/ingest/world.ts'
import { clientOptions, connected, nextMessage } from './controller-world.ts'
import { enrolledBefore, renewing, serving } from './enrolment-world.ts'

const board = (letter: string) => ({ board: letter.repeat(32), macs: [] })

async function world(t: Test, days = 1) {
  const { dataDir, states } = await enrolledBefore(t, days, ['gate-1'])
  const controller = await serving(t, dataDir)
  const identity = await loadIdentity(states[0] as string)
  await controller.deps.store.run('DELETE FROM agent_hardware')
  const { deps, api, ports } = controller
  const raised = () => new Promise<string>((resolve) => void deps.bus.on('alert', ({ id }) => resolve(id)))
  const alert = async (id: string) =>
    (await api.get<{ items: Alert[] }>('/v1/alerts')).items.find((one) => one.id === id)
  /** A box that connects from `address` with the agent's certificate, says hello, and stays; resolves when it was heard. */
  async function box(address: string, hardware?: object, who: Identity = identity) {
    const client = await connected(clientOptions(who, ports.mqtt, { localAddress: address } as object))
    client.on('error', () => {})
    t.teardown(() => client.endAsync(true))
    const { agent } = who
    const hello = {
      at: new Date().toISOString(),
      agent,
      version: '0',
      roles: ['enforcer'],
      hostname: 'h',
      hardware,
      planRevision: 0,
      blocksRevision: 0,
      streams: {},
    }
    await client.subscribeAsync(topicOf(agent, 'ack'), { qos: 1 })
    await client.publishAsync(topicOf(agent, 'hello'), JSON.stringify(hello), { qos: 1 })
    const heard = nextMessage(client, 'ack')
    await client.publishAsync(upTopic(agent, 'events'), eventBatch(newId(), 0, 1), { qos: 1 })
    await heard
  }
  const alerts = async () =>
    (await api.get<{ items: Alert[] }>('/v1/alerts')).items.filter(({ kind }) => kind === 'clone')
  return { ...controller, identity, states, raised, alert, alerts, box }
}

t.test('a copied card in another box is noticed when that box first speaks, with both boxes named', async (t) => {
  const { box, raised, alert, alerts, identity } = await world(t)
  await box('127.0.0.2', board('a'))
  await box('127.0.0.3', board('a'))
  t.same(await alerts(), [], 'the same box at another address')
  const told = raised()
  await box('127.0.0.4', board('b'))
  t.match(await alert(await told), {
    kind: 'clone',
    subject: identity.agent,
    severity: 'high',
    title: /two boxes go by the identity of gate-1/,
    reasons: [/127\.0\.0\.3 \(board aaaaaaaa\).*127\.0\.0\.4 \(board bbbbbbbb\)/, /agents replace gate-1 --now/],
  })
})

t.test('two boxes that say nothing of their hardware are noticed by pushing each other out', async (t) => {
  const { box, raised, alert, alerts } = await world(t)
  const told = raised()
  for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.2']) await box(address)
  t.same(await alerts(), [])
  await box('127.0.0.3')
  t.match(await alert(await told), { kind: 'clone', reasons: [/127\.0\.0\.2.*127\.0\.0\.3/] })
})

t.test('a copy that was away while the box renewed shows itself by the old certificate', async (t) => {
  const { box, raised, alert, identity, states } = await world(t, 300)
  const renewal = await renewing(t, states[0] as string)
  await renewal.came
  await box('127.0.0.2', board('a'), renewal.current())
  const told = raised()
  await t.rejects(box('127.0.0.3', board('b'), identity))
  t.match(await alert(await told), {
    kind: 'clone',
    title: /an old certificate of gate-1 was shown again/,
    reasons: [/from 127\.0\.0\.3.*renewed at/],
  })
  t.not(serialOf(identity.certificate), serialOf(renewal.current().certificate))
})
