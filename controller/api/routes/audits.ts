import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { findRun, queueRun, type Run, runsNamed, runsOf } from '../../audit/index.ts'
import { listDecoys } from '../../decoys/index.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'
import { decoyFor } from './decoys.ts'
import { segmentFor } from './segments.ts'

const kind = z.enum(['audit', 'touch'])
const wish = z.strictObject({
  kind: kind.default('audit'),
  decoy: z.string().min(1).max(200).optional(),
  segment: z.string().min(1).max(200).optional(),
  all: z.boolean().default(false),
})
const listQuery = z.object({
  /** Ids, separated by commas. */
  ids: z.string().max(40_000).optional(),
  decoy: z.string().max(200).optional(),
  kind: kind.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
})

/** A run with what a person calls its decoy. */
export type ShownRun = Run & { hostname: string; decoyIp: string }

/** Audits and test touches: ask for some, follow them, read them. */
export const auditRoutes: Routes = (app, { store, bus, clock }) => {
  async function named(runs: readonly Run[]): Promise<ShownRun[]> {
    const decoys = new Map((await listDecoys(store, { retired: true })).map((one) => [one.id, one]))
    return runs.map((run) => {
      const { hostname = run.decoy, ip = '' } = decoys.get(run.decoy) ?? {}
      return { ...run, hostname, decoyIp: ip }
    })
  }

  app.post('/v1/audits', async ({ body, query }) => {
    const { kind, decoy, segment, all } = check(wish, body)
    const meant = decoy !== undefined ? [await decoyFor(store, decoy)] : await listDecoys(store)
    const only = segment === undefined ? undefined : (await segmentFor(store, segment)).id
    if (decoy === undefined && only === undefined && !all)
      throw new MarshlightError('USAGE', {
        what: 'name a decoy, a segment, or all',
        command: 'marshlight decoys audit',
      })
    const wanted = meant.filter((one) => one.status === 'wanted' && (only === undefined || one.segment === only))
    const ready = wanted.filter(({ state }) => state?.phase === 'ready')
    if (ready.length === 0)
      throw new MarshlightError('CONFLICT', {
        what: wanted.length === 0 ? 'there is no decoy to look at' : 'no decoy of these is ready',
        next: 'See `marshlight decoys ls`.',
      })
    const dryRun = isDryRun(query)
    if (dryRun) return { items: ready.map(({ id, hostname, ip }) => ({ decoy: id, hostname, decoyIp: ip })), dryRun }
    const runs = await store.tx(async (sql) => {
      const queued: Run[] = []
      for (const one of ready) queued.push(await queueRun(sql, { kind, reason: 'admin', decoy: one }, clock.now()))
      return queued
    })
    bus.emit({ name: 'audit-asked' })
    return { items: await named(runs), dryRun }
  })

  app.get('/v1/audits', async ({ query }) => {
    const { ids, decoy, kind, limit } = check(listQuery, query)
    if (ids !== undefined) return { items: await named(await runsNamed(store, ids.split(','))) }
    if (decoy === undefined)
      throw new MarshlightError('USAGE', { what: 'name a decoy, or ids', command: 'marshlight decoys audits' })
    const { id } = await decoyFor(store, decoy)
    return { items: await named(await runsOf(store, id, kind, limit)) }
  })

  app.get<{ Params: { id: string } }>('/v1/audits/:id', async ({ params }) => {
    const run = await findRun(store, params.id)
    const [shown] = await named([run])
    return { ...run, ...shown }
  })
}
