import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { saveIdentity } from '../../agent/enrol/identity.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import { newId } from '../../shared/ids.ts'
import { signDocument } from '../../shared/signing.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { TestController } from './agent-test-controller.ts'
import { makeTestPki } from './agent-test-pki.ts'

const pki = await makeTestPki()
/** The doctor asks around on an agent's cards: it shall not on those of whoever runs this. */
const noCards = ['lo']
const main = join(import.meta.dirname, '../../agent/main.ts')

async function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args])
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

async function enrolled(
  t: Parameters<typeof tempFolder>[0],
  controller: TestController,
  role: 'decoys' | 'enforcer' = 'enforcer',
) {
  const stateDir = await tempFolder(t)
  const agent = newId()
  const pair = await pki.agentPair(agent, 100)
  await writeFileAtomic(join(stateDir, 'identity', 'key.pem'), pair.key)
  await saveIdentity(stateDir, {
    v: 1,
    agent,
    name: 'gate-1',
    roles: [role],
    certificate: pair.certificate,
    ca: pki.ca,
    mqtt: { host: '127.0.0.1', port: controller.port },
    signingKey: pki.signingPem,
  })
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify({ nics: noCards }))
  return { stateDir, agent }
}

function start(t: Parameters<typeof tempFolder>[0], stateDir: string): ChildProcess {
  const child = spawn(process.execPath, [main, 'run', '--state', stateDir], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr?.on('data', (text) => {
    log += text
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (log.includes('"level":60')) throw new Error(log)
  })
  return child
}

t.test('runs, says how it is, survives kill -9, and stops on SIGTERM', async (t) => {
  const controller = new TestController(pki)
  await controller.start()
  t.teardown(() => controller.stop())
  const { stateDir, agent } = await enrolled(t, controller)
  const hellos = () => controller.heard.filter(({ name }) => name === 'hello').length

  const first = start(t, stateDir)
  await controller.until('hello', () => hellos() === 1)
  await controller.until('health', () => controller.of('health').length > 0)
  t.match(controller.of('health')[0], { type: 'health', probes: { link: {}, spool: { ok: true }, disk: {} } })
  const status = await command('status', '--json', '--state', stateDir)
  t.match(JSON.parse(status.out), {
    agent,
    pid: first.pid,
    link: { connected: true },
    rooms: { health: { state: 'running' } },
  })
  t.match(await command('status', '--state', stateDir), { out: /connected to 127\.0\.0\.1/ })
  const doctor = await command('doctor', '--json', '--state', stateDir)
  const checks = JSON.parse(doctor.out).checks as { name: string; ok: boolean }[]
  t.match(
    checks.filter(({ name }) => ['enrolment', 'controller', 'state folder', 'clock'].includes(name)),
    [{ ok: true }, { ok: true }, { ok: true }, { ok: true }],
  )
  t.match(await command('run', '--state', stateDir), { code: 1, err: /runs on .* already/ })
  t.match(await command('cleanup', '--state', stateDir), { code: 1, err: /CONFLICT/ })

  const killed = once(first, 'exit')
  first.kill('SIGKILL')
  await killed
  const second = start(t, stateDir)
  await controller.until('the next hello', () => hellos() === 2)
  const ping = {
    kind: 'request',
    agent,
    id: newId(),
    issuedAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 30_000).toISOString(),
    op: { name: 'ping' },
  }
  await controller.publish(agent, 'request', signDocument(ping, pki.signingKey))
  await controller.until('the reply', () => controller.heard.some(({ name }) => name === 'reply'))
  t.match(controller.heard.find(({ name }) => name === 'reply')?.message, { id: ping.id, ok: true })

  const exit = once(second, 'exit')
  second.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
  t.match(controller.heard.filter(({ name }) => name === 'presence').at(-1)?.message, { status: 'offline' })
  t.strictSame(controller.faults, [])
  t.match(await command('status', '--state', stateDir), { code: 1, err: /no agent runs/ })
})

t.test('an appliance without its Docker Engine goes on, and says so', async (t) => {
  const controller = new TestController(pki)
  await controller.start()
  t.teardown(() => controller.stop())
  const { stateDir, agent } = await enrolled(t, controller, 'decoys')
  const config = { nics: noCards, docker: { socket: join(stateDir, 'none.sock') }, health: { everySeconds: 1 } }
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify(config))
  const child = start(t, stateDir)
  await controller.until('two looks', () => controller.of('health').length >= 2)
  t.match(controller.of('health')[0], { docker: { ok: false }, probes: { docker: { ok: false }, link: {} } })
  controller.nowMs = () => Date.now() - 7_200_000
  const isFar = (one: Record<string, unknown>) => Number(one.clockOffsetMs) > 7_000_000
  await controller.until('a clock two hours ahead, by the acknowledgements', () => controller.of('health').some(isFar))
  t.match(controller.of('health').find(isFar), { probes: { clock: { ok: false, detail: /72\d{5} ms/ } } })
  const status = JSON.parse((await command('status', '--json', '--state', stateDir)).out)
  t.match(status, { link: { connected: true }, rooms: { decoys: {}, sessions: { state: 'running' } } })
  t.comment(`${status.rssMb} MB unbundled`)
  const doctor = JSON.parse((await command('doctor', '--json', '--state', stateDir)).out)
  t.match(
    doctor.checks.find(({ name }: { name: string }) => name === 'Docker Engine'),
    { ok: false, next: /Start it/ },
  )
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])

  const identity = join(stateDir, 'identity', 'identity.json')
  const forget = async () => {
    const { code, out } = await command('cleanup', '--forget', '--json', '--state', stateDir)
    const { ok, steps } = JSON.parse(out) as { ok: boolean; steps: { name: string; what: string; ok: boolean }[] }
    const failed = steps.filter((step) => !step.ok)
    return { code, ok, failed: failed.map(({ name }) => name), what: failed[0]?.what }
  }
  const refused = { code: 1, ok: false, failed: ['decoys', 'state'] }
  t.match(await forget(), refused, 'what its decoys are known by is kept')
  const whole = await readFile(identity, 'utf8')
  await writeFile(identity, whole.slice(0, 200))
  t.match(await forget(), { ...refused, what: new RegExp(agent) }, 'a damaged identity still tells whose they are')
  await writeFile(identity, 'x')
  t.match(await forget(), { ...refused, what: /damaged/ }, 'and one that tells nothing is no reason to pass them over')
  t.equal(await readFile(identity, 'utf8'), 'x')
})

t.test('wrong use and wrong configuration are told with the next step', async (t) => {
  const stateDir = await tempFolder(t)
  t.match(await command('nonsense'), { code: 2 })
  t.match(await command('enrol', '--state', stateDir), { code: 2, err: /give one of --token-file/ })
  t.match(await command('enrol', '--state', stateDir, '--token', 'ml1.x', '--json'), { code: 1, out: /TOKEN_INVALID/ })
  t.match(await command('run', '--state', stateDir), { code: 1, err: /not enrolled[\s\S]*-> Run/ })
  await writeFile(join(stateDir, 'agent.json'), '{"spool":{"limitMb":"big"}}')
  t.match(await command('run', '--state', stateDir), { code: 1, err: /spool\.limitMb is "big"/ })
  await writeFile(join(stateDir, 'agent.json'), '{"spol":{}}')
  t.match(await command('doctor', '--state', stateDir), { code: 1, err: /CONFIG_INVALID/ })
  t.match(await command('--help'), { code: 0, out: /Examples:/ })
  const subcommands = ['enrol', 'run', 'status', 'doctor', 'update', 'cleanup']
  for (const help of await Promise.all(subcommands.map((name) => command(name, '--help')))) {
    t.match(help, { code: 0, out: /Examples:\n {2}marshlight-agent/ })
    t.notMatch(help.out, /^.{81}/m, 'fits 80 columns')
  }
})
