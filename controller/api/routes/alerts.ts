import { z } from 'zod'
import { wordsOf } from '../../../shared/errors.ts'
import { type Alert, alertKinds, findAlert, listAlerts, setStatus } from '../../alerts/index.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'
import { streamLines } from '../stream.ts'

const listQuery = z.object({
  status: z.enum(['open', 'acknowledged', 'closed']).optional(),
  kind: z.enum(alertKinds).optional(),
  subject: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(0).max(1000).default(50),
  follow: z.stringbool().default(false),
})
const changeBody = z.strictObject({ why: z.string().max(256).default('by an administrator') })
type ById = { Params: { id: string } }

export const alertRoutes: Routes = (app, { store, bus, clock, log }) => {
  app.get('/v1/alerts', async (request, reply) => {
    const query = check(listQuery, request.query)
    const items = await listAlerts(store, query)
    if (!query.follow) return { items }
    streamLines<Alert>(reply, items.reverse(), (send) =>
      bus.on('alert', ({ id }) => {
        findAlert(store, id).then(
          (alert) => fits(alert, query) && send(alert),
          (error) => log.warn({ alert: id, why: wordsOf(error) }, 'an alert could not be shown to a follower'),
        )
      }),
    )
  })

  app.get<ById>('/v1/alerts/:id', async (request) => {
    const alert = await findAlert(store, request.params.id)
    const deliveries = await store.all(
      'SELECT id, channel, status, attempts, created_at, sent_at, last_error FROM alert_outbox WHERE alert = ? ORDER BY id LIMIT 100',
      alert.id,
    )
    return { ...alert, deliveries }
  })

  const change = (verb: 'ack' | 'close', status: 'acknowledged' | 'closed') =>
    app.post<ById>(`/v1/alerts/:id/${verb}`, async (request) => {
      const { why } = check(changeBody, request.body)
      const alert = await findAlert(store, request.params.id)
      if (isDryRun(request.query)) return { ...alert, status }
      await store.tx((sql) => setStatus(sql, clock, alert.id, status, why))
      return findAlert(store, alert.id)
    })
  change('ack', 'acknowledged')
  change('close', 'closed')
}

const fits = (alert: Alert, { status, kind, subject }: z.infer<typeof listQuery>) =>
  (status === undefined || alert.status === status) &&
  (kind === undefined || alert.kind === kind) &&
  (subject === undefined || alert.subject === subject)
