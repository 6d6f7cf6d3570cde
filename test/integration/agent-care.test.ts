import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { commands } from '../../controller/cli/commands.ts'
import { runProgram } from '../../controller/cli/program.ts'
import type { BusEvent } from '../../controller/work/port.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

const agentMain = join(import.meta.dirname, '../../agent/main.ts')

/** A whole controller, and a whole agent as a process of its own, over real MQTT. */
async function world(t: Test) {
  const { dataDir, states } = await enrolledBefore(t, 1, ['gate-1'])
  const controller = await serving(t, dataDir)
  const stateDir = states[0] as string
  const marker = join(stateDir, 'restarted')
  const fake = join(await tempFolder(t), 'fake-reboot')
  writeFileSync(fake, `#!/bin/sh\necho "$@" > ${marker}.new && mv ${marker}.new ${marker}\n`, { mode: 0o755 })
  // The doctor asks around on an agent's cards: it shall not on those of whoever runs this.
  writeFileSync(join(stateDir, 'agent.json'), JSON.stringify({ nics: ['lo'], reboot: { command: [fake, 'now'] } }))
  const presence = (wanted: string) =>
    new Promise<void>((resolve) => {
      const off = controller.deps.bus.on('presence', ({ status }: Extract<BusEvent, { name: 'presence' }>) => {
        if (status !== wanted) return
        off()
        resolve()
      })
    })
  /** The agent, once it listens; `said(words)` resolves when they stand in its log. */
  async function start(): Promise<ChildProcess & { said(words: string): Promise<void> }> {
    const child = spawn(process.execPath, [agentMain, 'run', '--state', stateDir], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    let log = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    const said = async (words: string) => {
      while (!log.includes(words)) await once(child.stderr as NodeJS.EventEmitter, 'data')
    }
    // It is online before it listens for requests.
    await said('"msg":"connected"')
    return Object.assign(child, { said })
  }
  /** A command of `marshlight`, in this process. */
  const cli = async (...args: string[]) => {
    const [out, err] = [t.capture(process.stdout, 'write', () => true), t.capture(process.stderr, 'write', () => true)]
    const code = await runProgram(['--data', dataDir, ...args], commands)
    process.exitCode = 0
    const words = (all: { args: unknown[] }[]) => all.map((one) => String(one.args[0])).join('')
    const said = { code, stdout: words(out()), stderr: words(err()) }
    out.restore()
    err.restore()
    return said
  }
  return { ...controller, stateDir, marker, start, cli, presence }
}

const fits = (text: string) => text.split('\n').filter((line) => line.length > 80)

t.test('the log, the doctor and the restart of a box are had from the controller', async (t) => {
  const { cli, start, marker, stateDir, deps } = await world(t)
  t.match(await cli('agents', 'logs', 'gate-1'), { code: 1, stderr: /not connected/ })
  await start()
  const told = await cli('agents', 'logs', 'gate-1')
  t.match(told, { code: 0, stdout: /info {2}starting agent=/ })
  t.same(fits(told.stdout), [])
  const { from, lines } = JSON.parse((await cli('--json', 'agents', 'logs', 'gate-1', '--lines', '3')).stdout)
  t.match({ from, lines }, { from: 'memory' })
  t.equal(lines.length, 3)

  const doctor = await cli('agents', 'doctor', 'gate-1')
  t.match(doctor, { stdout: /ok {4}enrolment: [\s\S]*ok {4}controller: / })
  t.same(fits(doctor.stdout), [])

  t.match(await cli('agents', 'tag', 'gate-1', '+canary'), { code: 0, stdout: 'gate-1 has: canary\n' })
  const moved = await cli('agents', 'move', 'gate-1', '--site', 'berlin', '--segment', 'dmz')
  t.match(moved, { code: 0, stdout: 'Moved gate-1 from hq/office to berlin/dmz.\nPlug it in there: ' })
  t.match(await cli('agents', 'ls', '--tag', 'canary', '--site', 'berlin'), { stdout: /gate-1 +dmz +online/ })
  const shown = await cli('agents', 'show', 'gate-1')
  t.match(shown, { stdout: /tags +canary[\s\S]*runs +[\s\S]*hardware +[\s\S]*moved/ })
  t.same(fits(shown.stdout), [])

  t.match(await cli('agents', 'reboot', 'gate-1', '--dry-run'), { stdout: 'Would restart gate-1, which is online.\n' })
  const looked = watch(stateDir)
  const restarted = (async () => {
    while (!existsSync(marker)) await once(looked, 'change')
    looked.close()
  })()
  t.match(await cli('agents', 'reboot', 'gate-1'), { code: 0, stdout: /gate-1 restarts in 2 s/ })
  t.match(await cli('agents', 'reboot', 'gate-1'), { code: 1, stderr: /about to/ })
  await restarted
  t.equal(readFileSync(marker, 'utf8'), 'now\n', 'once, with its arguments')
  t.equal((await deps.store.all("SELECT 1 FROM agent_events WHERE kind = 'reboot'")).length, 1)
  let last = ''
  while (!last.includes('IT SAID')) last = (await cli('agents', 'show', 'gate-1')).stdout
  t.match(last, /info +the box restarts in 2 s/)
  t.same(fits(last), [])
})

t.test('a bundle comes whole and without secrets, also after one was cut off; then the box is wiped', async (t) => {
  const { cli, start, stateDir, deps, presence, api } = await world(t)
  const first = await start()
  const folder = await tempFolder(t)
  const out = join(folder, 'gate-1.tar.gz')

  // Killed while it gathers: nothing stays of it, neither there nor here.
  const unanswered = api.post('/v1/agents/gate-1/support-bundle').catch(() => undefined)
  await first.said('support-bundle')
  const gone = presence('offline')
  mkdirSync(join(stateDir, 'care'), { recursive: true })
  writeFileSync(join(stateDir, 'care', 'support-bundle.tar.gz'), 'half of one')
  first.kill('SIGKILL')
  await gone
  const child = await start()
  t.notOk(existsSync(join(stateDir, 'care')), 'what was left behind is gone')

  const told = await cli('agents', 'support-bundle', 'gate-1', '--out', out)
  t.match(told, { code: 0, stdout: /gate-1\.tar\.gz: \d+ kB, \d+ files\./ })
  t.match(await cli('agents', 'support-bundle', 'gate-1', '--out', out), { code: 1, stderr: /there already/ })
  execFileSync('tar', ['xzf', out], { cwd: folder })
  const inside = join(folder, 'marshlight-support')
  const files = await readdir(inside)
  for (const name of [
    'status.json',
    'doctor.json',
    'versions.json',
    'network.json',
    'log.ndjson',
    'configuration.json',
  ])
    t.ok(files.includes(name), name)
  const all = files.map((name) => readFileSync(join(inside, name), 'utf8')).join('\n')
  t.match(all, /"planRevision": 1/)
  t.notMatch(all, /PRIVATE KEY/)
  const keys = (await readdir(join(stateDir, 'identity'))).map((name) => join(stateDir, 'identity', name))
  const secrets = keys
    .map((file) => readFileSync(file, 'utf8'))
    .filter((text) => text.includes('PRIVATE KEY'))
    .flatMap((text) => text.split('\n').filter((line) => line.length > 20 && !line.startsWith('---')))
  t.ok(secrets.length > 0, 'the box has a key')
  for (const secret of secrets) t.notOk(all.includes(secret))
  t.equal((await deps.store.all("SELECT 1 FROM blobs WHERE kind = 'support'")).length, 2)

  const ended = once(child, 'exit')
  t.match(await cli('agents', 'wipe', 'gate-1'), { code: 1, stderr: /nobody to ask/ })
  t.match(await cli('agents', 'wipe', 'gate-1', '--dry-run'), { stdout: 'Would revoke and wipe gate-1.\n' })
  t.ok(existsSync(join(stateDir, 'identity')))
  t.match(await cli('agents', 'wipe', 'gate-1', '--yes', '--reason', 'stolen'), {
    code: 0,
    stdout: /took the order to wipe at/,
  })
  t.same(await ended, [3, null])
  t.notOk(existsSync(join(stateDir, 'identity')))
  t.match(readFileSync(join(stateDir, 'wiped.json'), 'utf8'), 'stolen')
  void unanswered
})
