import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { streamNames } from '../../../shared/schemas/envelope.ts'
import { findAgent } from '../../fleet/index.ts'
import type { SqlValue, Store } from '../../store/port.ts'
import { check } from '../body.ts'
import type { Routes } from '../port.ts'
import { streamLines } from '../stream.ts'

const query = z.object({
  agent: z.string().optional(),
  stream: z.enum(streamNames).optional(),
  decoy: z.uuid().optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  /** Records past this position, oldest first: for reading all of them, a piece at a time. */
  after: z.coerce.number().int().min(0).optional(),
  follow: z.string().optional(),
})
type Query = z.infer<typeof query>
type Row = {
  pos: number
  agent: string
  name: string | null
  stream: string
  number: number
  received_at: string
  body: string
}

const followAtOnce = 500

/** /v1/events: records as they came, dead letters, losses, sums. */
export const eventsRoutes: Routes = (app, { store, bus, log }) => {
  app.get('/v1/events', async (request, reply) => {
    const asked = check(query, request.query)
    const agent = asked.agent ? (await findAgent(store, asked.agent)).id : undefined
    const filter = { ...asked, agent }
    if (asked.after !== undefined) return { items: await read(store, filter, 'oldest', asked.after, asked.limit) }
    const items = (await read(store, filter, 'newest', 0, asked.limit)).reverse()
    if (asked.follow !== '1') return { items }
    let last = (await store.get<{ pos: number | null }>('SELECT max(pos) AS pos FROM records'))?.pos ?? 0
    streamLines(reply, items, (send) => {
      let running = false
      let again = false
      const pump = async () => {
        do {
          again = false
          for (;;) {
            const upTo = (await store.get<{ pos: number | null }>('SELECT max(pos) AS pos FROM records'))?.pos ?? 0
            const fresh = await read(store, filter, 'oldest', last, followAtOnce)
            for (const item of fresh) send(item)
            last = fresh.length === followAtOnce ? (fresh.at(-1)?.pos ?? upTo) : Math.max(last, upTo)
            if (fresh.length < followAtOnce) break
          }
        } while (again)
      }
      return bus.on('committed', () => {
        again = true
        if (running) return
        running = true
        pump()
          .catch((error) => log.error({ err: error }, 'following records failed'))
          .finally(() => {
            running = false
          })
      })
    })
    return reply
  })

  app.get('/v1/events/totals', async () => ({
    items: await store.all(
      `SELECT t.agent, a.name, t.stream, t.committed, t.dead, t.lost, t.duplicated, t.last_at AS lastAt
       FROM ingest_totals t LEFT JOIN agents a ON a.id = t.agent ORDER BY a.name, t.stream`,
    ),
  }))

  app.get('/v1/events/losses', async () => ({
    items: await store.all(
      `SELECT l.agent, a.name, l.stream, l.epoch, l.first, l.last, l.reason, l.at FROM losses l
       LEFT JOIN agents a ON a.id = l.agent ORDER BY l.id DESC LIMIT 500`,
    ),
  }))

  app.get('/v1/events/dead', async () => ({
    items: await store.all(
      `SELECT d.id, d.agent, a.name, d.topic, d.at, d.why, d.size FROM dead_letters d
       LEFT JOIN agents a ON a.id = d.agent ORDER BY d.id DESC LIMIT 500`,
    ),
  }))

  app.get<{ Params: { id: string } }>('/v1/events/dead/:id', async ({ params }) => {
    const row = await store.get<{ payload: Uint8Array }>(
      'SELECT * FROM dead_letters WHERE id = ?',
      Number(params.id) || 0,
    )
    if (!row)
      throw new MarshlightError('NOT_FOUND', {
        kind: 'dead letter',
        value: params.id,
        command: 'marshlight events dead',
      })
    return { ...row, payload: Buffer.from(row.payload).toString('utf8') }
  })

  app.get<{ Params: { pos: string } }>('/v1/events/:pos', async ({ params }) => {
    const [item] = await read(store, {}, 'oldest', (Number(params.pos) || 0) - 1, 1)
    if (!item || item.pos !== Number(params.pos))
      throw new MarshlightError('NOT_FOUND', { kind: 'record', value: params.pos, command: 'marshlight events ls' })
    return item
  })
}

type Filter = { [K in 'agent' | 'stream' | 'decoy' | 'since' | 'until']?: Query[K] | undefined }

/** Records after position `after`, that fit. `newest` takes the last ones, else the first. */
async function read(store: Store, filter: Filter, which: 'newest' | 'oldest', after: number, limit: number) {
  const where = ['r.pos > ?']
  const params: SqlValue[] = [after]
  const add = (clause: string, value: string | undefined) => {
    if (value === undefined) return
    where.push(clause)
    params.push(value)
  }
  add('s.agent = ?', filter.agent)
  add('s.stream = ?', filter.stream)
  add(`json_extract(r.body, '$.decoy') = ?`, filter.decoy)
  add('r.received_at >= ?', filter.since)
  add('r.received_at < ?', filter.until)
  const rows = await store.all<Row>(
    `SELECT r.pos, s.agent, a.name, s.stream, r.number, r.received_at, r.body FROM records r JOIN streams s ON s.id = r.stream_id
     LEFT JOIN agents a ON a.id = s.agent WHERE ${where.join(' AND ')} ORDER BY r.pos ${which === 'newest' ? 'DESC' : 'ASC'} LIMIT ?`,
    ...params,
    limit,
  )
  return rows.map(({ received_at, body, ...row }) => ({
    ...row,
    receivedAt: received_at,
    record: JSON.parse(body) as Record<string, unknown>,
  }))
}
