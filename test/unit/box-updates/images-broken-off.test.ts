import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { tempFolder } from '../spool/records.ts'
import { desiredOf, makeBox, makeRelease } from './box.ts'
import { live, type World, well } from './lives.ts'

const shipped = { pod: 'marshlight/pod:dev', web: 'marshlight/web:dev' }
const file = 'decoys.tar'
const look = { good: () => well(true), unwell: (_: string, onTrial: boolean) => well(!onTrial) }

/** A box whose decoys are made of images under the very tags that the release's archive bears. */
async function makeWorld(folder: string): Promise<World & { tags: Map<string, string> }> {
  const box = await makeBox(await mkdtemp(join(folder, 'box-')))
  const made = join(box.folder, 'made')
  await mkdir(made)
  await writeFile(join(made, 'manifest.json'), JSON.stringify([{ RepoTags: Object.values(shipped) }]))
  const content = execFileSync('tar', ['-cf', '-', '-C', made, 'manifest.json'])
  const tags = new Map(Object.values(shipped).map((tag) => [tag, `old ${tag}`]))
  const desired = desiredOf(makeRelease('2.0.0', 7, [{ component: 'decoys', file, content }]))
  return { box, desired, content: { [file]: content }, states: [], images: { tags, shipped }, tags }
}

const brought = { pod: 'marshlight/pod:2.0.0', web: 'marshlight/web:2.0.0' }
const atOnce = 4

for (const kind of ['good', 'unwell'] as const) {
  t.test(`images that are ${kind}: power goes before each change, and decoys have all of one kind`, async (t) => {
    const folder = await tempFolder(t)
    const check = async (lives: readonly number[], how: string) => {
      const world = await makeWorld(folder)
      const { held, changes } = await live(world, look[kind], lives)
      const phase = held.settled.at(-1)?.phase
      const taken = phase === 'confirmed'
      if (kind === 'unwell' || lives.length === 0) t.equal(phase, kind === 'good' ? 'confirmed' : 'rolled-back', how)
      const meant = Object.entries(shipped).flatMap(([role, tag]) => [
        [tag, `old ${tag}`],
        ...(taken ? [[brought[role as keyof typeof brought], `new ${tag}`]] : []),
      ])
      t.strictSame(held.decoys?.images ?? {}, taken ? brought : {}, `${how}: of which images decoys are made`)
      t.strictSame(
        meant.map(([tag = '']) => [tag, world.tags.get(tag)]),
        meant,
        `${how}: what the tags mean`,
      )
      return changes
    }
    const changes = await check([], 'undisturbed')
    t.ok(changes > 15, `${changes} changes`)
    for (let from = 0; from < changes; from += atOnce)
      await Promise.all(
        Array.from({ length: Math.min(atOnce, changes - from) }, (_, i) =>
          check([from + i], `before change ${from + i}`),
        ),
      )
  })
}
