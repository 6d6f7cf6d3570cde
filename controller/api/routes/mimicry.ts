import { z } from 'zod'
import { doneSince, inOwnShapes, notMade, seenOf } from '../../mimicry/index.ts'
import { check } from '../body.ts'
import type { Routes } from '../port.ts'
import { segmentFor } from './segments.ts'

const asked = z.object({ hours: z.coerce.number().min(1).max(336).default(24), segment: z.string().optional() })

/** Traffic that decoys make: what each instance did, and the shape that it is drawn from. */
export const mimicryRoutes: Routes = (app, { store, clock, config }) => {
  const since = (hours: number) => new Date(clock.now() - hours * 3_600_000).toISOString()

  app.get('/v1/mimicry', async ({ query }) => {
    const { hours, segment } = check(asked, query)
    const only = segment === undefined ? undefined : (await segmentFor(store, segment)).id
    return { level: config.mimicry.level, hours, items: await doneSince(store, since(hours), only) }
  })
  app.get('/v1/mimicry/:segment', async ({ params, query }) => {
    const { hours } = check(asked, query)
    const { id, name } = await segmentFor(store, check(z.object({ segment: z.string() }), params).segment)
    const items = await doneSince(store, since(hours), id)
    const seen = (await seenOf(store, id)).map((one) => ({
      ...one,
      notMade: notMade(one.patterns, config.mimicry),
      inOwnShapes: inOwnShapes(one.patterns, config.mimicry),
    }))
    return { level: config.mimicry.level, segment: name, hours, seen, items }
  })
}
