import { execFileSync } from 'node:child_process'
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeRelease } from '../../controller/updates/make.ts'
import { agentBundleIn } from '../../provisioning/build/bundle.ts'
import { makeKeys } from '../../shared/minisign.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { enrolledBefore, serving } from './enrolment-world.ts'
import { run } from './run-command-line.ts'
import { changeVersion, startLauncher, type Version } from './update-world.ts'

t.setTimeout(120_000)
const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
const keys = makeKeys()

type Shown = { status: string; why: string | null; boxes: { phase: string; why: string[] }[] }

t.test('from `updates make` to a box that runs it, and to one that went back, by real processes', async (t) => {
  const { dataDir, states } = await enrolledBefore(t, 0, ['gate-1'])
  const { api, deps } = await serving(t, dataDir)
  const next = (name: 'presence' | 'rollouts-changed') =>
    new Promise<void>((resolve) => {
      const off = deps.bus.on(name, () => {
        off()
        resolve()
      })
    })
  const [stateDir = ''] = states
  const folder = await tempFolder(t)
  const home = join(folder, 'package')
  await mkdir(home)
  await agentBundleIn(home)
  await symlink(process.execPath, join(home, 'node'))
  await writeFile(join(stateDir, 'agent.json'), JSON.stringify({ nics: ['lo'], updates: { steadySeconds: 0 } }))
  await mkdir(join(stateDir, 'release-keys'))
  await writeFile(join(stateDir, 'release-keys/test.pub'), keys.publicText)
  await api.post('/v1/release-keys', { text: keys.publicText })

  /** As `updates make` and `updates add` do it. */
  async function add(what: Version, sequence: number): Promise<void> {
    const { version } = what
    const made = join(folder, `made-${version}`)
    await cp(home, made, { recursive: true, verbatimSymlinks: true })
    await changeVersion(made, what)
    const path = join(folder, `agent-${version}.tar`)
    execFileSync('tar', ['-cf', path, '-C', made, '.'])
    const out = join(folder, `release-${version}`)
    const sources = [{ component: 'agent', arch, version, path } as const]
    await makeRelease({
      version,
      sequence,
      createdAt: '2026-01-01T00:00:00.000Z',
      notes: '',
      sources,
      key: keys.privatePem,
      out,
    })
    const { code, error } = await run(t, '--data', dataDir, 'updates', 'add', out)
    t.equal(code, 0, error)
  }
  /** The rollout, once it neither runs nor waits. */
  async function rolledOut(version: string): Promise<Shown> {
    const policy = { version, rings: [{ name: 'all', percent: 100 }], gateMinutes: 0, confirmMinutes: 0.5 }
    const { id } = await api.post<{ id: string }>('/v1/rollouts', policy)
    await api.post(`/v1/rollouts/${id}/start`)
    for (;;) {
      const moved = next('rollouts-changed')
      const shown = await api.get<Shown>(`/v1/rollouts/${id}`)
      if (shown.status !== 'running') return shown
      await moved
    }
  }

  const launcher = startLauncher({ folder, after: (work) => t.teardown(work) }, home, stateDir)
  t.teardown(() => {
    if (!t.passing()) console.error(launcher.log())
  })
  const agents = async () => (await api.get<{ items: { presence: string }[] }>('/v1/agents')).items
  for (let there = next('presence'); (await agents())[0]?.presence !== 'online'; there = next('presence')) await there
  await add({ version: '1.0.0' }, 1)
  t.match(await rolledOut('1.0.0'), { status: 'done', boxes: [{ phase: 'confirmed' }] })
  t.match(await agents(), [{ version: '1.0.0' }])
  await add({ version: '1.1.0', breaks: 'at start' }, 2)
  t.match(await rolledOut('1.1.0'), {
    status: 'paused',
    why: /1 of 1/,
    boxes: [{ phase: 'rolled-back', why: [/ended by itself/] }],
  })
  t.match(await agents(), [{ version: '1.0.0' }])
})
