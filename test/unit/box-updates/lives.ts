import { readdir } from 'node:fs/promises'
import type { Look } from '../../../agent/updates/wellness.ts'
import type { DesiredUpdate, UpdateState } from '../../../shared/schemas/update.ts'
import { makeDeath, type Played, playAgent } from './agent-played.ts'
import type { Box } from './box.ts'

export type World = {
  box: Box
  desired: DesiredUpdate
  content: Record<string, Buffer>
  states: UpdateState[]
  images?: Pick<Played, 'tags' | 'shipped'>
}

export const well = (up: boolean): Look => ({ link: { up, words: 'no route' }, rooms: [], decoys: [] })
const endless = Number.POSITIVE_INFINITY
const endsWithinMs = 500

/**
 * Lets the box live until its rollout is over: agents as the launcher starts them, the first lives as long as `lives`
 * say, the others as long as they like. Gives the version that runs then.
 */
export async function live(world: World, look: Played['look'], lives: readonly number[]) {
  const { box, desired, content, states, images } = world
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
      const agent = playAgent({ box, started, desired, content, death, look, onState, ...images })
      let decided = false
      void agent.then(async ({ opened }) => {
        // What goes back ends by itself soon after that is written down; the last life is then one of the version before.
        let since = endless
        const past = () => {
          const { settled } = opened.held()
          if (settled.length > 0 && since === endless) since = Date.now()
          const mayEnd = started.trial !== undefined && settled.at(-1)?.phase !== 'confirmed'
          return settled.length > 0 && (!mayEnd || Date.now() - since > endsWithinMs)
        }
        // Of a life that ended otherwise nobody waits for it any more, and the box's folder may be gone.
        while (!decided && (!past() || (await readdir(box.versions).catch(() => [] as string[])).includes('trial')))
          await new Promise((wait) => setTimeout(wait, 3).unref())
        resolve('over')
      })
      const ended = await Promise.race([death.dead, over, agent.then(({ opened }) => opened.asked)])
      decided = true
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
