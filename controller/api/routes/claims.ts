import { isoNow } from '../../../shared/clock.ts'
import { settle } from '../../alerts/index.ts'
import { decide, findWaiting, waitingBoxes } from '../../fleet/index.ts'
import { isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'

type Named = { Params: { claim: string } }
const decisions = [
  ['approve', 'approved'],
  ['reject', 'rejected'],
] as const

/** /v1/claims/waiting: boxes that came with a good claim and wait for an administrator. */
export const claimRoutes: Routes = (app, { store, clock, bus }) => {
  app.get('/v1/claims/waiting', async () => ({ items: await waitingBoxes(store) }))

  for (const [verb, decision] of decisions)
    app.post<Named>(`/v1/claims/waiting/:claim/${verb}`, async ({ params, query }) => {
      const box = await findWaiting(store, params.claim)
      if (isDryRun(query)) return box
      const alert = await store.tx(async (sql) => {
        await decide(sql, box.id, decision, isoNow(clock))
        return settle(sql, clock, { kind: 'enrolment', subject: box.id, why: `the box was ${decision}` })
      })
      if (alert) bus.emit({ name: 'alert', id: alert })
      return box
    })
}
