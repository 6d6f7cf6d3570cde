import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { access, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadIdentity } from '../../agent/enrol/index.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'

t.setTimeout(120_000)
const main = join(import.meta.dirname, '../../agent/main.ts')

/** The agent as it is shipped, and all that it says. */
function start(t: Test, stateDir: string): { child: ChildProcess; said(): string } {
  const child = spawn(process.execPath, [main, 'run', '--state', stateDir], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.on('data', (text) => {
    said += text
  })
  t.teardown(() => child.kill('SIGKILL'))
  return { child, said: () => said }
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** Resolves when the folder has the file, however short. */
async function appears(folder: string, name: string): Promise<void> {
  const seen = Promise.withResolvers<void>()
  const watcher = watch(folder, (_, file) => {
    if (file === name) seen.resolve()
  })
  try {
    await Promise.race([seen.promise, access(join(folder, name)).catch(() => seen.promise)])
  } finally {
    watcher.close()
  }
}

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

t.test('killed while it renews, and while it wipes itself, an agent goes on at its next start', async (t) => {
  const { dataDir, states } = await enrolledBefore(t, 300, ['gate-1', 'gate-2'])
  const [stateDir = '', other = ''] = states
  for (const state of states) await writeFile(join(state, 'agent.json'), JSON.stringify({ nics: ['lo'] }))
  const { api } = await serving(t, dataDir)
  const { agent } = await loadIdentity(stateDir)
  const shown = () => api.get<{ renewedAt: string | null; online: boolean }>(`/v1/agents/${agent}`)

  const first = start(t, stateDir)
  await appears(join(stateDir, 'identity'), 'renewal.json')
  await killed(first.child)
  const second = start(t, stateDir)
  await until(async () => (await shown()).renewedAt ?? undefined)
  t.pass('its certificate is renewed')

  await api.post(`/v1/agents/${agent}/revoke`, { reason: 'stolen from the van' })
  await Promise.race([appears(stateDir, 'wiped.json'), once(second.child, 'exit')])
  await killed(second.child).catch(() => {})
  const third = start(t, stateDir)
  const [code] = await once(third.child, 'exit')
  t.equal(code, 3)
  t.match(third.said(), /stolen from the van/)
  t.strictSame((await readdir(stateDir)).sort(), ['agent.json', 'wiped.json'], 'no key, no record, no document is left')
  t.match(JSON.parse(await readFile(join(stateDir, 'wiped.json'), 'utf8')), { done: true, agent })

  const fourth = start(t, stateDir)
  t.equal((await once(fourth.child, 'exit'))[0], 3)
  t.match(fourth.said(), /stolen from the van/, 'it says so at each start')
  t.ok((await readdir(join(other, 'identity'))).includes('identity.json'), 'a neighbour keeps its own')
})
