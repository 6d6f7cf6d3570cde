import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Look } from '../../../agent/updates/wellness.ts'
import type { DesiredUpdate, UpdateState } from '../../../shared/schemas/update.ts'
import { tempFolder } from '../spool/records.ts'
import { makeDeath, playAgent } from './agent-played.ts'
import { type Box, desiredOf, makeBox, makeRelease } from './box.ts'

const well = (up: boolean): Look => ({ link: { up, words: 'no route' }, rooms: [], decoys: [] })
const look = { good: () => well(true), unwell: (version: string) => well(version !== '2.0.0') }
const atOnce = 4
const endless = Number.POSITIVE_INFINITY

type World = { box: Box; desired: DesiredUpdate; content: Record<string, Buffer>; states: UpdateState[] }

async function makeWorld(folder: string): Promise<World> {
  const box = await makeBox(await mkdtemp(join(folder, 'box-')))
  const made = join(box.folder, 'made')
  await box.fillVersion(made, '2.0.0')
  const content = execFileSync('tar', ['-cf', '-', '-C', made, '.'])
  const file = 'agent.tar'
  const desired = desiredOf(makeRelease('2.0.0', 7, [{ component: 'agent', file, content }]))
  return { box, desired, content: { [file]: content }, states: [] }
}

/**
 * Lets the box live until its rollout is over: agents as the launcher starts them, the first lives as long as `lives`
 * say, the others as long as they like. Gives the version that runs then.
 */
async function live(world: World, kind: keyof typeof look, lives: readonly number[]) {
  const { box, desired, content, states } = world
  const left = [...lives]
  let changes = 0
  let firstLife: number | undefined
  let launched = box.start()
  try {
    for (let starts = 0; starts < 12; starts++) {
      const started = await launched.next()
      const death = makeDeath(left.shift() ?? endless)
      const { promise: over, resolve } = Promise.withResolvers<'over'>()
      const onState = (state: UpdateState) => states.push(state)
      const agent = playAgent({ box, started, desired, content, death, look: look[kind], onState })
      void agent.then(async ({ opened }) => {
        while (opened.held().settled.length === 0 || (await readdir(box.versions)).includes('trial'))
          await new Promise((wait) => setTimeout(wait, 3).unref())
        resolve('over')
      })
      const ended = await Promise.race([death.dead, over, agent.then(({ opened }) => opened.asked)])
      changes += death.changes()
      firstLife ??= changes
      if (ended === 'dead') {
        await launched.cut()
        launched = box.start()
        continue
      }
      const { opened, updates } = await agent
      await updates.stop()
      if (ended === 'over') return { version: started.version, held: opened.held(), changes, firstLife }
      await launched.end(ended.code)
    }
    throw new Error('it came to no end')
  } finally {
    await launched.cut()
  }
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
    const undisturbed = await live(whole, kind, [])
    await check(t, whole, kind, undisturbed)
    t.ok(undisturbed.changes > 15, `${undisturbed.changes} changes`)
    const one = async (at: number) => {
      const world = await makeWorld(folder)
      await check(t, world, kind, await live(world, kind, [at]))
    }
    // Until the trial begins, nothing can tell one from the other.
    const from = kind === 'good' ? 0 : undisturbed.firstLife - 1
    const rows = Array.from({ length: undisturbed.changes + 1 - from }, (_, at) => from + at)
    for (let i = 0; i < rows.length; i += atOnce) await Promise.all(rows.slice(i, i + atOnce).map(one))
  })
}
