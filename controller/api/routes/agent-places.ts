import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { makeDecoyActions } from '../../decoys/index.ts'
import { acceptConfig, changeTags, findAgent, type Moved, moveAgent, noteEvent, tag } from '../../fleet/index.ts'
import type { Sql } from '../../store/port.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import type { Routes } from '../port.ts'

const tagsBody = z
  .strictObject({ add: z.array(tag).max(32).default([]), remove: z.array(tag).max(32).default([]) })
  .refine(({ add, remove }) => !add.some((one) => remove.includes(one)), 'a tag is both given and taken away')
const moveBody = z.strictObject({
  site: z.string().min(1).max(64),
  segment: z.string().min(1).max(64),
  /** It is not carried: only its place is called otherwise. */
  stays: z.boolean().default(false),
})
type Named = { Params: { agent: string } }

/** What people say of a box: its tags, its place, that its configuration is as it should be. */
export const agentPlaceRoutes: Routes = (app, deps) => {
  const { store, bus, clock } = deps
  const actions = makeDecoyActions(deps)

  app.post<Named>('/v1/agents/:agent/tags', async ({ params, body, query }) => {
    const wish = check(tagsBody, body)
    const agent = await findAgent(store, params.agent)
    const tags = await changeOrTry(store, isDryRun(query), (sql) => changeTags(sql, agent.id, wish))
    return { ...agent, tags }
  })

  app.post<Named>('/v1/agents/:agent/move', async ({ params, body, query }): Promise<Moved & { dryRun: boolean }> => {
    const wish = check(moveBody, body)
    const agent = await findAgent(store, params.agent)
    const dryRun = isDryRun(query)
    const ports = { retire: (sql: Sql, decoy: string, why: string) => actions.retire(sql, decoy, why, 'admin') }
    const moved = await changeOrTry(store, dryRun, (sql) => moveAgent(sql, agent, { ...wish, now: clock.now() }, ports))
    if (!dryRun) {
      bus.emit({ name: 'plan-changed', agents: 'all' })
      for (const { id } of agent.segments) bus.emit({ name: 'segment-changed', segment: id })
      bus.emit({ name: 'segment-changed', segment: moved.segment })
    }
    return { ...moved, dryRun }
  })

  app.post<Named>('/v1/agents/:agent/accept', async ({ params, query }) => {
    const agent = await findAgent(store, params.agent)
    if (!isDryRun(query))
      await store.tx(async (sql) => {
        await acceptConfig(sql, agent.id)
        const detail = 'its present configuration is taken for the right one'
        await noteEvent(sql, { agent: agent.id, at: isoNow(clock), kind: 'configuration accepted', detail })
      })
    return agent
  })
}
