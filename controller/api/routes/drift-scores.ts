import { z } from 'zod'
import { readScores, readStandings } from '../../detection/index.ts'
import { check } from '../body.ts'
import type { Routes } from '../port.ts'
import { decoyFor } from './decoys.ts'

const listQuery = z.object({
  decoy: z.string().min(1).max(200).optional(),
  sinceMinutes: z.coerce
    .number()
    .min(1)
    .max(60 * 24 * 365)
    .default(1440),
  limit: z.coerce.number().int().min(1).max(10_000).default(50),
})

/** How far decoys are from what is expected of them: scores over time, and the last look at one with each feature. */
export const driftScoreRoutes: Routes = (app, { store, clock, config }) => {
  const { alertScore } = config.drift

  app.get('/v1/drift/scores', async ({ query }) => {
    const { decoy, sinceMinutes, limit } = check(listQuery, query)
    const id = decoy === undefined ? undefined : (await decoyFor(store, decoy)).id
    const since = new Date(clock.now() - sinceMinutes * 60_000).toISOString()
    return { alertScore, items: await readScores(store, { since, decoy: id, limit }) }
  })

  app.get('/v1/drift/scores/:ref', async ({ params }) => {
    const { ref } = check(z.object({ ref: z.string().min(1).max(200) }), params)
    const { id, hostname } = await decoyFor(store, ref)
    return { decoy: id, hostname, alertScore, items: await readStandings(store, id) }
  })
}
