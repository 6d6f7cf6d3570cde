import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { certificateTrouble, enrol, loadIdentity } from '../../agent/enrol/index.ts'
import { newId } from '../../shared/ids.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { makeTestPki } from './agent-test-pki.ts'

const pki = await makeTestPki()
const agent = newId()

type Asked = { token: { id: string; secret: string }; csr: string; hostname: string; version: string; roles: string[] }

async function enrolServer(
  t: Parameters<typeof tempFolder>[0],
  answer: (asked: Asked, times: number) => Promise<[number, unknown] | 'cut'>,
  server = pki.server,
) {
  const asked: Asked[] = []
  const https = createServer({ key: server.key, cert: `${server.certificate}${pki.ca}` }, async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    asked.push(JSON.parse(text))
    const given = await answer(asked.at(-1) as Asked, asked.length)
    if (given === 'cut') return request.socket.destroy()
    response.writeHead(given[0], { 'content-type': 'application/json' }).end(JSON.stringify(given[1]))
  })
  https.listen(0, '127.0.0.1')
  await once(https, 'listening')
  t.teardown(async () => {
    https.closeAllConnections()
    https.close()
  })
  return { asked, address: `127.0.0.1:${(https.address() as AddressInfo).port}` }
}

const welcome = async ({ csr }: Asked): Promise<[number, unknown]> => [
  200,
  {
    agent,
    name: 'site-1',
    certificate: await pki.signRequest(csr, agent),
    ca: pki.ca,
    mqtt: { host: '127.0.0.1', port: 8883 },
    signingKey: pki.signingPem,
    roles: ['decoys'],
  },
]

const token = (more: object = {}) =>
  `ml1.${Buffer.from(
    JSON.stringify({
      id: newId(),
      secret: 'very-secret',
      ca: pki.fingerprint,
      exp: new Date(Date.now() + 60_000).toISOString(),
      ...more,
    }),
  ).toString('base64url')}`

const options = (stateDir: string, controller: string, more: object = {}) => ({
  stateDir,
  controller,
  token: token(),
  version: '0.0.0',
  roles: ['decoys' as const],
  now: Date.now(),
  ...more,
})

t.test('a token makes this machine an agent; its key is its own and stays', async (t) => {
  const server = await enrolServer(t, welcome)
  const stateDir = await tempFolder(t)
  const identity = await enrol(options(stateDir, server.address))
  t.equal(identity.agent, agent)
  t.match(server.asked, [
    { token: { secret: 'very-secret' }, hostname: hostname(), version: '0.0.0', roles: ['decoys'] },
  ])
  t.match(server.asked[0]?.csr, 'BEGIN CERTIFICATE REQUEST')
  for (const name of await readdir(join(stateDir, 'identity')))
    t.equal((await stat(join(stateDir, 'identity', name))).mode & 0o777, 0o600, name)
  const loaded = await loadIdentity(stateDir)
  t.match(loaded.key, 'PRIVATE KEY')
  t.notMatch(await readFile(join(stateDir, 'identity', 'identity.json'), 'utf8'), /very-secret|PRIVATE KEY/)
  t.equal(certificateTrouble(loaded, Date.now())?.code, 'CERTIFICATE_EXPIRING', 'ten days are left')
  t.equal(certificateTrouble(loaded, Date.now() + 11 * 86_400_000)?.code, 'CERTIFICATE_REFUSED')
  await t.rejects(enrol(options(stateDir, server.address)), { code: 'ALREADY_ENROLLED', details: { agent } })
  t.equal(server.asked.length, 1)
})

t.test('a server of another fleet is told nothing', async (t) => {
  const server = await enrolServer(t, welcome)
  const more = { token: token({ ca: 'f'.repeat(64) }) }
  await t.rejects(enrol(options(await tempFolder(t), server.address, more)), { code: 'CA_MISMATCH' })
  t.equal(server.asked.length, 0)
})

t.test(
  'a server that shows the right CA without a certificate of it, or with an agent’s, is told nothing',
  async (t) => {
    const foreign = await makeTestPki()
    for (const pair of [foreign.server, await pki.agentPair(newId())]) {
      const server = await enrolServer(t, welcome, pair)
      await t.rejects(enrol(options(await tempFolder(t), server.address)), { name: 'MarshlightError' })
      t.equal(server.asked.length, 0)
    }
  },
)

t.test('an enrolment whose answer was lost is run again with the same key and request', async (t) => {
  const server = await enrolServer(t, async (asked, times) => (times === 1 ? 'cut' : welcome(asked)))
  const stateDir = await tempFolder(t)
  await t.rejects(enrol(options(stateDir, server.address)), { code: 'CONTROLLER_UNREACHABLE' })
  await t.rejects(loadIdentity(stateDir), { code: 'NOT_ENROLLED' })
  await enrol(options(stateDir, server.address))
  t.equal(server.asked[0]?.csr, server.asked[1]?.csr)
})

t.test(
  'where an identity lies aside a claim that is refused for good takes its key along, unless another may have been let in by it',
  async (t) => {
    const refusal = (code: string): [number, unknown] => [403, { error: { code, message: 'no', next: 'ask' } }]
    let next: [number, unknown] | 'cut' | undefined
    const server = await enrolServer(t, async (asked) => next ?? welcome(asked))
    const stateDir = await tempFolder(t)
    const [first, second] = [token(), token()]
    const use = async (one: string, answer: typeof next) => {
      next = answer
      await enrol(options(stateDir, server.address, { token: one })).catch(() => undefined)
      const names = await readdir(join(stateDir, 'identity'))
      return names.filter((name) => /^(key|request)\.pem$/.test(name)).length
    }
    t.equal(await use(first, refusal('TOKEN_USED')), 2, 'no identity waits to be moved back: the next claim goes by it')
    await writeFile(join(stateDir, 'identity/identity.json.sealed-elsewhere'), '{}')
    for (const code of ['TOKEN_USED', 'TOKEN_EXPIRED', 'TOKEN_REJECTED', 'TOKEN_INVALID', 'TOKEN_MISPLACED'])
      t.equal(await use(first, refusal(code)), 0, code)
    t.equal(await use(first, refusal('WAITS_FOR_APPROVAL')), 2)
    t.equal(await use(first, refusal('TOKEN_REJECTED')), 0, 'after it waited, too')
    t.equal(await use(first, 'cut'), 2)
    t.equal(await use(first, refusal('TOKEN_MISPLACED')), 2, 'it may have been let in before it was moved')
    t.equal(await use(second, refusal('TOKEN_USED')), 2, 'the first one may have been let in')
    t.equal(await use(first, undefined), 2)
    const sent = server.asked.slice(-4).map(({ csr }) => csr)
    t.equal(new Set(sent).size, 1, 'asked by the same request, which the controller knows it by')
    t.match(sent[0], /^-----BEGIN/)
    t.match(await loadIdentity(stateDir), { agent })
  },
)

t.test('refusals come in the controller’s words; what is no answer is told as such', async (t) => {
  const answers: [string, [number, unknown]][] = [
    ['TOKEN_USED', [403, { error: { code: 'TOKEN_USED', message: 'used', next: 'ask' } }]],
    ['TOKEN_EXPIRED', [403, { error: { code: 'TOKEN_EXPIRED', message: 'expired', next: 'ask' } }]],
    ['TOKEN_INVALID', [403, { error: { code: 'TOKEN_INVALID', message: 'unknown', next: 'ask' } }]],
    ['CONTROLLER_UNREACHABLE', [500, 'what']],
    ['CONTROLLER_UNREACHABLE', [200, { agent: 'nobody' }]],
  ]
  for (const [code, answer] of answers) {
    const server = await enrolServer(t, async () => answer)
    await t.rejects(enrol(options(await tempFolder(t), server.address)), { code })
  }
  await t.rejects(enrol(options(await tempFolder(t), '127.0.0.1:1')), { code: 'CONTROLLER_UNREACHABLE' })
})

t.test('a damaged identity is set aside and said', async (t) => {
  const server = await enrolServer(t, welcome)
  const stateDir = await tempFolder(t)
  await enrol(options(stateDir, server.address))
  await writeFile(join(stateDir, 'identity', 'identity.json'), '{')
  await t.rejects(loadIdentity(stateDir), { code: 'STATE_CORRUPT' })
  t.ok((await readdir(join(stateDir, 'identity'))).some((name) => name.startsWith('identity.json.corrupt-')))
})
