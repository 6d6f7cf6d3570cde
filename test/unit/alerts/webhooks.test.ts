import { createHmac } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { makeWebhook, raise, signatureOf } from '../../../controller/alerts/index.ts'
import { type Clock, systemClock } from '../../../shared/clock.ts'
import { makeChain } from '../sessions/chain.ts'

const minute = 60_000

t.test('a webhook that fails at times gets every alert in the end, signed, each under one id', async (t) => {
  const got: { id: string; title: string; signed: boolean }[] = []
  let requests = 0
  let idle = () => {}
  const sent = new Promise<void>((resolve) => {
    idle = resolve
  })
  const server = createServer(async (request, response) => {
    const body = await textOf(request)
    requests += 1
    if (requests === 1) return void response.writeHead(503).end()
    if (requests === 2) return void request.socket.destroy()
    const [, time = '', mac = ''] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-marshlight-signature'])) ?? []
    const { id, alert } = JSON.parse(body)
    const signed = mac === createHmac('sha256', 'hush').update(`${time}.${body}`).digest('hex')
    got.push({ id, title: alert.title, signed: signed && request.headers['x-marshlight-id'] === id })
    response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const chain = makeChain(t, { alerts: { webhooks: [{ name: 'desk', url, secretFile: '/none', minScore: 50 }] } })
  const secretFile = join(chain.deps.dataDir, 'secret')
  writeFileSync(secretFile, 'hush\n', { mode: 0o600 })
  // It sleeps for a minute only when nothing waits any more.
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => {
      if (ms === minute) idle()
      return systemClock.sleep(ms, signal)
    },
  }
  const deps = { ...chain.deps, clock }
  const tell = (subject: string, score?: number) =>
    chain.store.tx((sql) =>
      raise(sql, deps, {
        kind: 'risk',
        subject,
        severity: 'high',
        title: subject,
        reasons: [],
        ...(score && { score }),
      }),
    )
  for (const [subject, score] of [
    ['a', 90],
    ['b', 60],
    ['c', undefined],
    ['low', 20],
  ] as const)
    await tell(subject, score)
  const webhook = makeWebhook({ name: 'desk', url, secretFile, minScore: 50 }, deps)
  t.teardown(() => webhook.stop())
  await webhook.start(new AbortController().signal)
  await sent
  await webhook.stop()
  t.same(got.map(({ title }) => title).sort(), ['a', 'b', 'c'], 'and not the one below its least score')
  t.ok(got.every(({ signed }) => signed))
  t.equal(new Set(got.map(({ id }) => id)).size, 3)
  t.same(await chain.store.all(`SELECT status, COUNT(*) AS n FROM alert_outbox GROUP BY status`), [
    { status: 'sent', n: 3 },
  ])
})

t.test('a webhook whose secret others can read sends nothing, and says why', async (t) => {
  const chain = makeChain(t, {
    alerts: { webhooks: [{ name: 'desk', url: 'http://127.0.0.1:9/', secretFile: '/none' }] },
  })
  const secretFile = join(chain.deps.dataDir, 'secret')
  writeFileSync(secretFile, 'hush')
  chmodSync(secretFile, 0o644)
  await chain.store.tx((sql) =>
    raise(sql, chain.deps, { kind: 'notice', subject: 'x', severity: 'high', title: 'x', reasons: [] }),
  )
  const webhook = makeWebhook({ name: 'desk', url: 'http://127.0.0.1:9/', secretFile, minScore: 0 }, chain.deps)
  t.teardown(() => webhook.stop())
  await webhook.start(new AbortController().signal)
  await chain.clock.asleep()
  t.match(await chain.store.get('SELECT status, attempts, last_error FROM alert_outbox'), {
    status: 'pending',
    attempts: 1,
    last_error: /0600/,
  })
})

t.test('a signature is over time and body', async (t) => {
  t.equal(
    signatureOf('k', '{}', 1_700_000_000_999),
    `t=1700000000,v1=${createHmac('sha256', 'k').update('1700000000.{}').digest('hex')}`,
  )
})

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
