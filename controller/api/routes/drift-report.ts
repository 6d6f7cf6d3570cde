import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { ipv4, utc } from '../../../shared/schemas/common.ts'
import { attackerClasses, driftReport, explain } from '../../adaptation/index.ts'
import { check } from '../body.ts'
import type { Routes } from '../port.ts'

const query = z.object({ class: z.enum(attackerClasses).optional(), since: utc.optional() })
const source = z.object({ source: ipv4 })

/** `/v1/drift-report`: what drift did to engagement, and why an attacker meets what he meets. */
export const driftReportRoutes: Routes = (app, { store, clock, config }) => {
  app.get('/v1/drift-report', async (request) => {
    const { class: attackers, since } = check(query, request.query)
    const report = await driftReport(store, {
      ...(attackers !== undefined && { class: attackers }),
      ...(since !== undefined && { since }),
    })
    return { enabled: config.adaptation.enabled, controlShare: config.adaptation.controlShare, ...report }
  })

  app.get('/v1/drift-report/:source', (request) => explain(store, check(source, request.params).source, isoNow(clock)))
}
