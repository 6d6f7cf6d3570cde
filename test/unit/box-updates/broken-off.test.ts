import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tempFolder } from '../spool/records.ts'
import { desiredOf, makeBox, makeRelease } from './box.ts'
import { live, type World, well } from './lives.ts'

const look = { good: () => well(true), unwell: (version: string) => well(version !== '2.0.0') }
const atOnce = 4

async function makeWorld(folder: string): Promise<World> {
  const box = await makeBox(await mkdtemp(join(folder, 'box-')))
  const made = join(box.folder, 'made')
  await box.fillVersion(made, '2.0.0')
  const content = execFileSync('tar', ['-cf', '-', '-C', made, '.'])
  const file = 'agent.tar'
  const desired = desiredOf(makeRelease('2.0.0', 7, [{ component: 'agent', file, content }]))
  return { box, desired, content: { [file]: content }, states: [] }
}

async function check(t: Test, world: World, kind: keyof typeof look, o: Awaited<ReturnType<typeof live>>) {
  const good = kind === 'good'
  const told = world.states.at(-1)
  const found = { version: o.version, phase: told?.phase, held: o.held.settled.at(-1)?.phase, highest: o.held.highest }
  const phase = good ? 'confirmed' : 'rolled-back'
  t.strictSame(found, { version: good ? '2.0.0' : '1.0.0', phase, held: phase, highest: good ? 7 : 0 })
  const names = await readdir(world.box.versions)
  const left = ['trial', 'tries', 'failed'].filter((name) => names.includes(name))
  t.strictSame(left, [])
  if (good) t.match(await readFile(join(world.box.versions, 'confirmed'), 'utf8'), /^2\.0\.0 /)
  else if (told?.code !== 'UPDATE_CRASHED') t.match(told?.reason, 'the controller is not reached: no route')
}

for (const kind of ['good', 'unwell'] as const) {
  t.test(`a version that is ${kind}: power goes before each durable change, and the box ends as without`, async (t) => {
    const folder = await tempFolder(t)
    const whole = await makeWorld(folder)
    const undisturbed = await live(whole, look[kind], [])
    await check(t, whole, kind, undisturbed)
    t.ok(undisturbed.changes > 15, `${undisturbed.changes} changes`)
    const one = async (at: number) => {
      const world = await makeWorld(folder)
      await check(t, world, kind, await live(world, look[kind], [at]))
    }
    // Until the trial begins, nothing can tell one from the other.
    const from = kind === 'good' ? 0 : undisturbed.firstLife - 1
    const rows = Array.from({ length: undisturbed.changes + 1 - from }, (_, at) => from + at)
    for (let i = 0; i < rows.length; i += atOnce) await Promise.all(rows.slice(i, i + atOnce).map(one))
  })
}
