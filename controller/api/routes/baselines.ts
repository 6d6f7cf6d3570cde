import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { overlaps } from '../../../shared/network.ts'
import { forgetSegment, isWatched, listBaselines, setWatched, showBaseline } from '../../baselines/index.ts'
import { forgetPatterns } from '../../mimicry/index.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import { oneOf } from '../one-of.ts'
import type { Routes } from '../port.ts'
import { segmentFor } from './segments.ts'

const text = z.string().min(1).max(200)

/** What is normal: of whom, in figures; and which segments are looked at. */
export const baselineRoutes: Routes = (app, { store, bus, clock, config }) => {
  app.get('/v1/baselines', async ({ query }) => {
    const { segment, kind } = check(z.object({ segment: text.optional(), kind: text.optional() }), query)
    const of = segment === undefined ? undefined : (await segmentFor(store, segment)).id
    const items = await listBaselines(store, { segment: of, service: kind })
    return { items: items.map(({ id, ...one }) => one) }
  })
  // Names of subjects hold slashes, so they do not stand in the path.
  app.get('/v1/baselines/one', async ({ query }) => {
    const { subject, hour } = check(
      z.object({ subject: text, hour: z.coerce.number().int().min(0).max(167).optional() }),
      query,
    )
    const named = ({ key, name }: { key: string; name: string }) => ({ id: key, names: [name] })
    const one = oneOf(await listBaselines(store), subject, 'baseline', named, 'marshlight baselines ls')
    const { id, ...listed } = one
    return { ...listed, ...(hour !== undefined && { hour }), ...(await showBaseline(store, one, hour)) }
  })
  app.get('/v1/segments/:ref/watch', async ({ params }) => {
    const { id, name, cidr } = await segmentFor(store, check(z.object({ ref: text }), params).ref)
    const excepted = cidr !== undefined && config.observe.except.some((one) => overlaps(one, cidr))
    return { segment: name, watched: !excepted && (await isWatched(store, id)), excepted }
  })
  app.put('/v1/segments/:ref/watch', async ({ params, query, body }) => {
    const { id, name, agents } = await segmentFor(store, check(z.object({ ref: text }), params).ref)
    const { watched, forget } = check(z.object({ watched: z.boolean(), forget: z.boolean().default(false) }), body)
    const gone = await changeOrTry(store, isDryRun(query), async (sql) => {
      await setWatched(sql, id, watched, isoNow(clock), forget)
      if (!forget) return undefined
      await forgetPatterns(sql, id)
      return forgetSegment(sql, id)
    })
    if (!isDryRun(query)) bus.emit({ name: 'plan-changed', agents: agents.map((agent) => agent.id) })
    return { segment: name, watched, ...(gone && { forgotten: gone }) }
  })
}
