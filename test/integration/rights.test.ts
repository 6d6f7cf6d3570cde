import { execFile } from 'node:child_process'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { initController } from '../../controller/fleet/index.ts'
import { tempFolder } from '../unit/spool/records.ts'

const at = (path: string) => join(import.meta.dirname, '../..', path)
const nobody = 65534

/**
 * Runs a command as somebody whom the file permissions bind: without the capabilities that set them aside (capabilities(7)),
 * and without a network: the doctor would ask around on it.
 */
async function bound(program: string, ...args: string[]) {
  const limits = ['--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-all']
  const command = ['--net', '--', 'setpriv', ...limits, process.execPath, at(program), ...args]
  return promisify(execFile)('unshare', command).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, said: `${stdout}${stderr}` }),
  )
}

/** A folder that `fill` fills and that then belongs to somebody else alone. */
async function locked(t: Parameters<typeof tempFolder>[0], fill: (folder: string) => unknown): Promise<string> {
  const folder = join(await tempFolder(t), 'locked')
  mkdirSync(folder, { mode: 0o700 })
  await fill(folder)
  chownSync(folder, nobody, nobody)
  return folder
}

t.test('a controller’s folder that belongs to another is not said to be missing', async (t) => {
  const data = await locked(t, (folder) => initController({ dataDir: folder, config: {}, now: Date.now() }))
  const refused = { code: 1, said: /needs rights that this user has not[\s\S]*as root/ }
  t.match(await bound('controller/cli.ts', '--data', data, 'serve'), refused)
  t.match(await bound('controller/cli.ts', '--data', data, 'agents'), refused)
  t.match(await bound('controller/cli.ts', '--data', join(data, 'inner'), 'init', '--host', '127.0.0.1'), refused)
})

t.test('an agent’s folder and an engine’s socket out of reach are told as that', async (t) => {
  const state = await locked(t, (folder) => {
    mkdirSync(join(folder, 'identity'))
    writeFileSync(join(folder, 'identity', 'identity.json'), '{}')
  })
  const refused = { code: 1, said: /needs rights that this user has not[\s\S]*RIGHTS_MISSING[\s\S]*as root/ }
  t.match(await bound('agent/main.ts', 'run', '--state', state), refused)

  const engine = createServer()
  const folder = await locked(t, (folder) => new Promise<void>((done) => engine.listen(join(folder, 'e.sock'), done)))
  t.teardown(() => engine.close())
  const own = await tempFolder(t)
  writeFileSync(join(own, 'agent.json'), JSON.stringify({ docker: { socket: join(folder, 'e.sock') } }))
  const { said } = await bound('agent/main.ts', 'doctor', '--json', '--state', own)
  const { checks } = JSON.parse(said) as { checks: { name: string }[] }
  t.match(
    checks.find(({ name }) => name === 'Docker Engine'),
    { ok: false, detail: /needs rights/, next: /as root/ },
  )
})
