import { execFile, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { tokenText } from '../../controller/fleet/index.ts'
import { readIfThere } from '../../shared/files.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore } from './enrolment-world.ts'
import { type Box, makeBox } from './first-boot-box.ts'

const main = join(import.meta.dirname, '../../agent/main.ts')

t.test('at a start of an enrolled box the command ends at once, and leaves screen and page to the agent', async (t) => {
  const { states } = await enrolledBefore(t, 0, ['gate-1'])
  const [stateDir = ''] = states
  const screen = join(await tempFolder(t), 'tty')
  await writeFile(screen, '')
  const settings = { nics: ['lo'], console: { screen, page: { minutes: 30, port: 38_080 } } }
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify(settings))
  const { stderr } = await promisify(execFile)(process.execPath, [main, 'first-boot', '--state', stateDir])
  t.match(stderr, /this box belongs to its controller/)
  t.equal(await readIfThere(screen), '', 'nothing was drawn')
})

/** A network of its own with one card, whose cable is in. */
const network = [
  'mount -t sysfs none /sys && ip link set lo up && ip link add seg0 type veth peer name far',
  'ip address add 198.18.3.10/24 dev seg0 && ip link set seg0 up && ip link set far up && exec "$@"',
].join(' && ')

/** The lines of the command's log until one fits, which runs in that network. */
async function* linesOf(t: Test, box: Box, env: NodeJS.ProcessEnv = process.env) {
  const runner = join(import.meta.dirname, 'first-boot-command-runner.ts')
  const argv = ['--net', '--mount', '--', 'sh', '-c', network, 'sh', process.execPath, runner]
  const stdio = ['ignore', 'inherit', 'pipe'] as ['ignore', 'inherit', 'pipe']
  const child = spawn('unshare', [...argv, JSON.stringify(box)], { stdio, env })
  t.teardown(() => child.kill('SIGKILL'))
  for await (const line of createInterface(child.stderr)) yield JSON.parse(line) as Line
}
type Line = { msg: string; check?: string; code?: string; trouble?: unknown }

t.test('a box that waits for its TPM until its key turns out to be lost is then as one that is nobody’s', async (t) => {
  const { states } = await enrolledBefore(t, 0, ['gate-1'])
  const [stateDir = ''] = states
  const key = join(stateDir, 'identity/key.pem')
  const box = { ...makeBox(await tempFolder(t)), stateDir }
  const [heldBy, bytes] = ['tpm2', 'AAAA']
  const sealed = { v: 1, heldBy, public: bytes, private: bytes, iv: bytes, tag: bytes, key: bytes }
  await writeFile(key, JSON.stringify(sealed))
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify({ nics: ['seg0'] }))
  const lines: Line[] = []
  for await (const line of linesOf(t, box, { ...process.env, TPM2TOOLS_TCTI: 'swtpm:path=/nowhere' })) {
    lines.push(line)
    // As a TPM that was cleared says it.
    if (line.code === 'TPM_FAILED') await writeFile(key, '{}')
    if (line.check === 'controller') break
  }
  t.ok(
    lines.some(({ code }) => code === 'KEY_SEALED_ELSEWHERE'),
    'its key is lost',
  )
  t.match(lines.at(-1), { check: 'controller' }, 'and the doctor looks')
})

t.test('doctor and page go by the settings of the file that was found after the start', async (t) => {
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  const controller = '127.0.0.1:9'
  const claim = tokenText({ id: 'c1', secret: 's', ca: 'ab'.repeat(32), exp: expiresAt, controller })
  const settings = { proxy: 'http://127.0.0.1:3128', statusPageMinutes: 0 }
  const file = { marshlight: 1, claim, controller, site: 'hq', segment: 'office', ...settings }
  const box = makeBox(await tempFolder(t), JSON.stringify(file))
  await mkdir(box.stateDir)
  const own = { nics: ['seg0'], console: { page: { minutes: 30, port: 38_080 } } }
  await writeFile(join(box.stateDir, 'agent.json'), JSON.stringify(own))

  const lines: Line[] = []
  for await (const line of linesOf(t, box)) {
    lines.push(line)
    if (lines.at(-1)?.check === 'controller') break
  }
  t.match(lines.at(-1)?.msg, /^TCP: 127\.0\.0\.1:3128 turns this box away/, 'the way through the proxy was tried')
  t.notOk(
    lines.some(({ msg }) => msg === 'the status page is there'),
    'a page of no minutes is none',
  )
})
