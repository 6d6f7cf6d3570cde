import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { newId } from '../../shared/ids.ts'
import type { Request } from '../../shared/schemas/desired-state.ts'
import { signDocument } from '../../shared/signing.ts'
import { blocksFor, makeAgent, makeController, sign, start } from './agent-link-world.ts'
import { makeTestPki } from './agent-test-pki.ts'

t.test('takes a signed document once it is on disk, and hands it on once', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await start(agent)
  await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
  const first = sign(blocksFor(agent.agent, 3))
  await controller.publish(agent.agent, 'blocks', first)
  await controller.publish(agent.agent, 'blocks', first)
  await controller.until('the block list', () => controller.of('state').length === 1)
  t.strictSame(agent.got.blocks, [3])
  t.match(controller.of('state')[0], { type: 'document', document: 'blocks', revision: 3, outcome: 'accepted' })
  t.match(JSON.parse(await readFile(join(agent.folder, 'documents', 'blocks.json'), 'utf8')), first)
  controller.cut()
  await controller.until('a second hello', () => controller.heard.filter(({ name }) => name === 'hello').length === 2)
  t.match(controller.heard.filter(({ name }) => name === 'hello').at(-1)?.message, { blocksRevision: 3 })
  t.strictSame(agent.got.blocks, [3], 'the retained copy after reconnecting changes nothing')
})

t.test(
  'forged, foreign, expired, replayed and malformed documents are refused and the last good one stays',
  async (t) => {
    const controller = await makeController(t)
    const agent = await makeAgent(t, controller)
    await start(agent)
    await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
    await controller.publish(agent.agent, 'blocks', sign(blocksFor(agent.agent, 5)))
    const other = await makeTestPki()
    const good = sign(blocksFor(agent.agent, 6))
    const bad: [string, unknown][] = [
      ['DOCUMENT_FORGED', signDocument(blocksFor(agent.agent, 9), other.signingKey)],
      ['DOCUMENT_FORGED', { ...good, body: good.body.replace('"revision":6', '"revision":7') }],
      ['DOCUMENT_FOREIGN', sign(blocksFor(newId(), 9))],
      ['DOCUMENT_EXPIRED', sign(blocksFor(agent.agent, 9, { expiresAt: new Date(Date.now() - 1000).toISOString() }))],
      ['DOCUMENT_REPLAYED', sign(blocksFor(agent.agent, 4))],
      ['DOCUMENT_REPLAYED', sign(blocksFor(agent.agent, 5, { neverBlock: ['198.18.0.0/24'] }))],
      ['DOCUMENT_MALFORMED', sign({ ...blocksFor(agent.agent, 9), entries: 'all' })],
      ['DOCUMENT_MALFORMED', 'not even JSON'],
    ]
    for (const [, message] of bad) await controller.publish(agent.agent, 'blocks', message)
    await controller.until('all refusals', () => controller.of('state').length === 1 + bad.length)
    const states = controller.of('state').slice(1)
    t.same(
      states.map((state) => [state.outcome, state.code]),
      bad.map(([code]) => ['refused', code]),
    )
    t.strictSame(agent.got.blocks, [5])
    t.equal(agent.link.held().blocks?.revision, 5)
    await controller.publish(agent.agent, 'blocks', good)
    await controller.until('the next good one', () => agent.got.blocks.includes(6))
  },
)

t.test('a held document outlives a restart and its expiry; a damaged one is set aside and told', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await start(agent)
  await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
  const soon = { expiresAt: new Date(Date.now() + 2000).toISOString() }
  await controller.publish(agent.agent, 'blocks', sign(blocksFor(agent.agent, 8, soon)))
  await controller.until('it', () => agent.got.blocks.includes(8))
  await agent.link.stop()
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(soon.expiresAt) - Date.now())))
  const second = agent.make()
  await second.start(new AbortController().signal)
  t.equal(second.held().blocks?.revision, 8)
  await second.stop()
  await writeFile(join(agent.folder, 'documents', 'blocks.json'), '{"v":1,"body":"{}","sig":"AAAA"}')
  const third = agent.make()
  await third.start(new AbortController().signal)
  t.equal(third.held().blocks, undefined)
  await controller.until('the notice', () => controller.of('state').some((record) => record.code === 'STATE_CORRUPT'))
  await third.stop()
})

t.test('a request is answered once, however often it comes; an expired or forged one never', async (t) => {
  const controller = await makeController(t)
  const agent = await makeAgent(t, controller)
  await start(agent)
  await controller.until('hello', () => controller.heard.some(({ name }) => name === 'hello'))
  const ask = (more: Partial<Request> = {}): Request => ({
    kind: 'request',
    agent: agent.agent,
    id: newId(),
    issuedAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 30_000).toISOString(),
    op: { name: 'ping' },
    ...more,
  })
  const asked = ask()
  for (let i = 0; i < 3; i++) await controller.publish(agent.agent, 'request', sign(asked))
  await controller.publish(agent.agent, 'request', sign(ask({ expiresAt: new Date(Date.now() - 1).toISOString() })))
  await controller.publish(agent.agent, 'request', { ...sign(ask()), sig: sign('other').sig })
  const last = ask()
  await controller.publish(agent.agent, 'request', sign(last))
  const replies = () => controller.heard.filter(({ name }) => name === 'reply')
  await controller.until('both replies', () => replies().length >= 2 && controller.of('state').length >= 2)
  t.same(agent.got.requests, [asked.id, last.id])
  t.match(replies(), [{ message: { id: asked.id, ok: true, result: { pong: true } } }, { message: { id: last.id } }])
  t.same(
    controller
      .of('state')
      .map((record) => record.code)
      .sort(),
    ['DOCUMENT_EXPIRED', 'DOCUMENT_FORGED'],
  )
})
