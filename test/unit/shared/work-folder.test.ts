import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { importRootfs } from '../../../provisioning/build/rootfs.ts'
import { buildImage } from '../../../provisioning/image/build.ts'
import { clearLeft, makeWork } from '../../../shared/work-folder.ts'

/** Folders called `name` in `folder`: of a process that was killed, and of one that runs. */
async function left(t: Test, folder: string, name: string) {
  mkdirSync(folder, { recursive: true })
  const runs = await makeWork(folder, name)
  const { pid } = spawnSync('true')
  const killed = runs.replace(`-${process.pid}-`, `-${pid}-`)
  mkdirSync(join(killed, 'root'), { recursive: true })
  t.not(killed, runs)
  return { runs: basename(runs), killed: basename(killed) }
}

t.test('what a killed process left goes; what one that runs has, or another machine, stays', async (t) => {
  const folder = t.testdir({ work: {}, 'work-XXXXXX': {}, 'work-elsewhere.example-1-abcdef': {}, 'work.tar': '' })
  const kept = readdirSync(folder)
  const { runs, killed } = await left(t, folder, 'work')
  const other = await left(t, folder, 'other-work')
  const { removed, stays } = await clearLeft(folder, 'work')
  t.same(
    removed.map((one) => basename(one)),
    [killed],
  )
  t.same(stays, [])
  t.same(readdirSync(folder).sort(), [...kept, runs, ...Object.values(other)].sort())
})

t.test('builds begin with it: an image, and the packages of one for containers', async (t) => {
  const projectRoot = t.testdir({})
  const cache = join(projectRoot, '.cache')
  const image = await left(t, join(cache, 'appliance'), 'work')
  const progress = async <T>(_: string, work: () => Promise<T>) => work()
  // Neither comes far: there are no such decoys, and no way to a package.
  const wish = { projectRoot, out: join(projectRoot, 'dist'), images: join(projectRoot, 'none'), progress }
  await t.rejects(buildImage({ ...wish, architecture: 'amd64' }))
  t.same(readdirSync(join(cache, 'appliance')), [image.runs])

  const root = await left(t, cache, 'root')
  const path = process.env.PATH
  process.env.PATH = join(projectRoot, 'nothing')
  t.teardown(() => Object.assign(process.env, { PATH: path }))
  const debs = join(cache, 'debs')
  await t.rejects(importRootfs({ tag: 'x', hash: 'x', packages: [], architecture: 'amd64', cache: debs }))
  t.same(readdirSync(cache).sort(), ['appliance', 'debs', root.runs].sort())
})
