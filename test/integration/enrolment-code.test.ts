import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cp, readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { askController } from '../../agent/enrol/ask.ts'
import { enrol, loadIdentity, typedBefore } from '../../agent/enrol/index.ts'
import type { Alert } from '../../controller/alerts/index.ts'
import { secretFrom } from '../../shared/enrolment-code.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { makeTestPki } from './agent-test-pki.ts'
import { clientOptions, connected } from './controller-world.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

t.setTimeout(120_000)
type Made = { id: string; token: string; code: string; codeExpiresAt: string }

async function world(t: Test, settings: object = {}) {
  const { dataDir } = await enrolledBefore(t, 0, [], settings)
  const { api, deps, ports } = await serving(t, dataDir)
  const controller = `127.0.0.1:${ports.enrol}`
  const invite = async (more: object = {}) => {
    const body = { segment: 'office', name: 'gate-1', codeMinutes: 60, ...more }
    return (await api.post<{ items: Made[] }>('/v1/agents/invite', body)).items[0] as Made
  }
  const hardware = { board: 'b'.repeat(32), macs: [] }
  const by = async (code: string, more: object = {}) =>
    enrol({ stateDir: await tempFolder(t), code, controller, version: '0', now: Date.now(), hardware, ...more })
  const alerts = async () => (await api.get<{ items: Alert[] }>('/v1/alerts')).items
  const news = () => new Promise((resolve) => void deps.bus.on('alert', resolve))
  const agents = () => deps.store.all<{ id: string; name: string }>('SELECT id, name FROM agents')
  return { api, deps, ports, controller, invite, by, alerts, news, agents }
}
t.test('a typed code makes a box an agent, once, and leaves nothing of itself behind', async (t) => {
  const { invite, by, ports, alerts, news } = await world(t)
  const { code, token, id } = await invite()
  const stateDir = await tempFolder(t)
  const identity = await by(` ${code.toLowerCase().replaceAll('-', ' ')}`, { stateDir })
  t.equal(identity.name, 'gate-1')
  await (await connected(clientOptions(await loadIdentity(stateDir), ports.mqtt))).endAsync(true)
  t.same((await readdir(join(stateDir, 'identity'))).sort(), ['identity.json', 'key.pem', 'request.pem'])
  const told = news()
  await t.rejects(by(code), { code: 'TOKEN_USED' })
  await told
  t.match(await alerts(), [{ kind: 'enrolment', subject: id, title: /was used again$/ }])
  await t.rejects(enrol({ stateDir: await tempFolder(t), token, version: '0', now: Date.now() }), {
    code: 'TOKEN_USED',
  })
})

t.test('somebody in between with a CA of his own is told nothing', async (t) => {
  const { invite, by } = await world(t)
  const { code } = await invite()
  const pki = await makeTestPki()
  let asked = 0
  const { key, certificate } = pki.server
  const https = createServer({ key, cert: `${certificate}${pki.ca}` }, () => void asked++).listen(0, '127.0.0.1')
  await once(https, 'listening')
  t.teardown(() => https.close())
  const stateDir = await tempFolder(t)
  const controller = `127.0.0.1:${(https.address() as AddressInfo).port}`
  await t.rejects(by(code, { controller, stateDir }), { code: 'CODE_MISMATCH', next: /in between/ })
  t.equal(asked, 0)
  t.same(await readdir(stateDir), [], 'and the code is not kept')
  await t.rejects(by('AAAAA-BBBBB'), { code: 'CODE_MISTYPED' })
  t.match(await by(code), { name: 'gate-1' }, 'the code is as good as before')
})

t.test('a code is refused late, or in a wrong place', async (t) => {
  const { invite, by, deps, alerts, news } = await world(t)
  const late = await invite()
  await deps.store.run('UPDATE claims SET code_expires_at = ?', new Date(Date.now() - 1000).toISOString())
  let told = news()
  await t.rejects(by(late.code), { code: 'TOKEN_EXPIRED', message: /expired at 20\d\d-/ })
  await told
  const from = await invite({ from: ['198.18.3.0/24'] })
  told = news()
  await t.rejects(by(from.code), { code: 'TOKEN_MISPLACED', message: /from 127\.0\.0\.1$/ })
  await told
  const within = await invite({ within: ['198.18.3.0/24', '198.19.0.0/16'] })
  told = news()
  const networks = ['198.18.4.9/24', '10.0.0.1/8']
  await t.rejects(by(within.code, { networks }), {
    code: 'TOKEN_MISPLACED',
    message: /198\.18\.4\.9\/24,10\.0\.0\.1\/8$/,
  })
  await told
  t.match(
    (await alerts()).map(({ subject, title }) => [subject, title.replace(/.* was/, '')]).sort(),
    [
      [late.id, ' used too late'],
      [from.id, ' used from a wrong place'],
      [within.id, ' used from a wrong place'],
    ].sort(),
  )
  t.match(await by(within.code, { networks: ['198.19.7.1/24'] }), { name: 'gate-1' })
})

t.test('whoever guesses codes is stopped and told; files go on', async (t) => {
  const { invite, by, alerts, news, ports } = await world(t)
  const { code, token } = await invite()
  const first = await tempFolder(t)
  const { ca } = await enrol({ stateDir: first, token, version: '0', now: Date.now() })
  const { code: open, token: file } = await invite({ name: 'gate-2' })
  /** By who knows the controller and no secret; our own agent would not say a word. */
  const guess = async () => {
    const body = { token: { code: secretFrom(randomBytes(5)) }, csr: 'none', hostname: 'x', version: '0' }
    const { json } = await askController({ host: '127.0.0.1', port: ports.enrol }, { ca }, '/v1/enrol', body)
    return (json as { error?: { code: string; message: string } }).error
  }
  const told = news()
  for (let i = 0; i < 10; i++) t.match(await guess(), { code: 'TOKEN_INVALID' })
  await told
  t.match(await guess(), { code: 'CODE_GUESSED', message: /until 20\d\d-.* codes are refused/ })
  t.match(await alerts(), [{ kind: 'enrolment', subject: '127.0.0.1', title: 'enrolment codes are being guessed' }])
  t.equal((await alerts()).length, 1)
  await t.rejects(by(open), { code: 'CODE_GUESSED' }, 'the right one too: nobody learns which it is')
  await t.rejects(by(code), { code: 'CODE_GUESSED' })
  t.match(await enrol({ stateDir: await tempFolder(t), token: file, version: '0', now: Date.now() }), {
    name: 'gate-2',
  })
})

t.test('power may go at any step: the box goes on by itself with what was typed', async (t) => {
  const { invite, controller, agents } = await world(t)
  const { code } = await invite()
  const stateDir = await tempFolder(t)
  /** `marshlight-agent enrol --code` with `typed`, killed when it says a step that begins with `until`. */
  const run = async (typed: string, until?: string) => {
    const args = ['agent/main.ts', 'enrol', '--code', '--state', stateDir, '--controller', controller]
    const child = spawn(process.execPath, args, {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    child.stdin.end(`${typed}\n`)
    const said: string[] = []
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line)
      if (until && line.startsWith(until)) child.kill('SIGKILL')
    }
    const [exitCode] =
      child.exitCode === null && child.signalCode === null ? await once(child, 'exit') : [child.exitCode]
    t.notMatch(said.join('\n'), code.slice(0, 11), 'the code is not shown')
    return { exitCode, said }
  }
  t.equal((await run(code, 'checking')).exitCode, null)
  t.equal(await typedBefore(stateDir), undefined, 'not known yet whether it is the right controller')
  t.equal((await run(code, 'making')).exitCode, null)
  t.match(await typedBefore(stateDir), { code, controller })
  t.equal((await stat(join(stateDir, 'identity/typed-code.json'))).mode & 0o777, 0o600)
  t.equal((await run('', 'asking')).exitCode, null)
  t.equal((await run('')).exitCode, 0)
  t.equal((await agents()).length, 1)
  t.equal(await typedBefore(stateDir), undefined)
  t.equal((await loadIdentity(stateDir)).agent, (await agents())[0]?.id)
})

t.test('an answer that was lost is given again to the same box until its agent was there, to no other', async (t) => {
  const { invite, by, deps, agents } = await world(t)
  const { code, id } = await invite()
  const [whole, broken, other] = [await tempFolder(t), await tempFolder(t), await tempFolder(t)]
  let copied: Promise<void> | undefined
  const onStep = (step: string) => {
    if (step.startsWith('asking')) copied = cp(whole, broken, { recursive: true })
  }
  const first = await by(code, { stateDir: whole, onStep })
  await copied
  // Long without power.
  await deps.store.run('UPDATE claims SET used_at = ? WHERE id = ?', new Date(Date.now() - 3_600_000).toISOString(), id)
  await deps.store.run('UPDATE agents SET enrolled_at = (SELECT used_at FROM claims)')
  const before = await typedBefore(broken)
  t.equal(before?.code, code)
  await t.rejects(by(code, { stateDir: other }), { code: 'TOKEN_USED' })
  t.equal((await by(code, { stateDir: broken })).agent, first.agent)
  t.equal((await agents()).length, 1)
  await cp(join(whole, 'identity/key.pem'), join(other, 'identity/key.pem'))
  await cp(join(whole, 'identity/request.pem'), join(other, 'identity/request.pem'))
  await deps.store.run('UPDATE agents SET last_seen = ?', new Date().toISOString())
  await t.rejects(by(code, { stateDir: other }), { code: 'TOKEN_USED' }, 'once it was there')
  t.equal(await readFile(join(other, 'identity/typed-code.json')).catch(() => 'gone'), 'gone')
})

t.test('a code waits for approval as a token does, also over a restart', async (t) => {
  const { invite, by, api } = await world(t, { enrolment: { approval: 'manual' } })
  const { code, id } = await invite()
  const stateDir = await tempFolder(t)
  await t.rejects(by(code, { stateDir }), { code: 'WAITS_FOR_APPROVAL' })
  await api.post(`/v1/claims/waiting/${id}/approve`, {})
  const typed = await typedBefore(stateDir)
  t.match(await by(typed?.code ?? '', { stateDir }), { name: 'gate-1' })
})
