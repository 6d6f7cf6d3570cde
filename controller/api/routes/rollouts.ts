import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { releaseVersion } from '../../../shared/schemas/update.ts'
import { findAgent } from '../../fleet/index.ts'
import type { Sql } from '../../store/port.ts'
import {
  boxViewsOf,
  type Changed,
  findRollout,
  listRollouts,
  makeRolloutActions,
  newcomersOf,
  ring,
  rolloutPolicy,
  type TagsOf,
  viewOf,
} from '../../updates/index.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import type { Routes } from '../port.ts'

const planBody = rolloutPolicy.extend({
  version: releaseVersion,
  /** Agents by name or id. */
  rings: z
    .array(ring.extend({ agents: z.array(z.string().min(1).max(253)).max(10_000).default([]) }))
    .min(1)
    .max(16),
})
type Named = { Params: { rollout: string } }

/** /v1/rollouts: how a release comes to the boxes. */
export const rolloutRoutes =
  (tagsOf: TagsOf): Routes =>
  (app, deps) => {
    const { store, bus } = deps
    const actions = makeRolloutActions(deps, tagsOf)

    /** Does it, or only tries it; who waits for it is woken after the commit. */
    async function change<T extends Changed>(query: unknown, work: (sql: Sql) => Promise<T>) {
      const dryRun = isDryRun(query)
      const { rollout, agents, alert, ...rest } = await changeOrTry(store, dryRun, work)
      if (!dryRun) {
        if (agents.length > 0) bus.emit({ name: 'plan-changed', agents })
        if (alert !== undefined) bus.emit({ name: 'alert', id: alert })
        bus.emit({ name: 'rollouts-changed' })
      }
      const { id, version, status } = rollout
      return { id, version, status, boxesChanged: agents.length, ...rest, dryRun }
    }

    app.get('/v1/rollouts', async () => {
      const items = []
      for (const rollout of await listRollouts(store)) items.push(await viewOf(store, rollout))
      return { items }
    })
    app.get<Named>('/v1/rollouts/:rollout', async ({ params }) => {
      const rollout = await findRollout(store, params.rollout)
      const newcomers = (await newcomersOf(store, rollout)) ?? null
      return { ...(await viewOf(store, rollout)), boxes: await boxViewsOf(store, rollout), newcomers }
    })
    app.post('/v1/rollouts', async ({ body, query }) => {
      const { version, rings: asked, ...rest } = check(planBody, body)
      const rings = []
      for (const one of asked) rings.push({ ...one, agents: await idsOf(store, one.agents) })
      const policy = check(rolloutPolicy, { ...rest, rings })
      return changeOrTry(store, isDryRun(query), (sql) => actions.plan(sql, { version, policy }))
    })
    for (const verb of ['start', 'pause', 'abort'] as const)
      app.post<Named>(`/v1/rollouts/:rollout/${verb}`, async ({ params, query }) =>
        change(query, (sql) => actions[verb](sql, params.rollout)),
      )
    app.post<Named>('/v1/rollouts/:rollout/resume', async ({ params, body, query }) => {
      const { tolerate } = check(z.strictObject({ tolerate: z.number().min(0).max(100).optional() }), body)
      return change(query, (sql) => actions.resume(sql, params.rollout, tolerate))
    })
    app.post<Named>('/v1/rollouts/:rollout/rollback', async ({ params, body, query }) => {
      const { to } = check(z.strictObject({ to: releaseVersion.optional() }), body)
      return change(query, async (sql) => {
        const { id, boxes, kept, version, ...rest } = await actions.rollback(sql, params.rollout, to)
        return { ...rest, by: id, to: version, boxes, kept }
      })
    })
  }

async function idsOf(sql: Sql, names: readonly string[]): Promise<string[]> {
  const ids = []
  for (const name of names) {
    const { id, status } = await findAgent(sql, name)
    if (status !== 'enrolled')
      throw new MarshlightError('CONFLICT', { what: `${name} is revoked`, next: 'Name another for this ring.' })
    ids.push(id)
  }
  return ids
}
