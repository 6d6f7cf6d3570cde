import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { ipv4, utc } from '../../../shared/schemas/common.ts'
import {
  asciicast,
  findFile,
  findSession,
  listFiles,
  listSessions,
  makeTerminalFilter,
  parseTtyLog,
  shownFrames,
  type TtyFrame,
  timelineOf,
  ttysOf,
} from '../../sessions/index.ts'
import { readBlob } from '../../store/blobs.ts'
import type { Sql } from '../../store/port.ts'
import { check } from '../body.ts'
import type { Routes } from '../port.ts'

const limit = z.coerce.number().int().min(1).max(1000).default(50)
const listQuery = z.object({
  source: ipv4.optional(),
  decoy: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,63}$/, 'a decoy’s host name, or the beginning of its id')
    .optional(),
  since: utc.optional(),
  until: utc.optional(),
  text: z.string().min(1).max(200).optional(),
  success: z.stringbool().optional(),
  audit: z.stringbool().optional(),
  limit,
})
type ById = { Params: { id: string } }

export const sessionRoutes: Routes = (app, { store }) => {
  app.get('/v1/sessions', async (request) => {
    const query = check(listQuery, request.query)
    const named = await store.get<{ id: string }>(
      'SELECT id FROM decoys WHERE hostname = ? ORDER BY created_at DESC LIMIT 1',
      query.decoy ?? '',
    )
    return { items: await listSessions(store, { ...query, decoy: named?.id ?? query.decoy }) }
  })

  app.get<ById>('/v1/sessions/:id', async (request) => {
    const session = await findSession(store, request.params.id)
    const logs = await ttysOf(store, session.id)
    const decoy = await store.get<{ hostname: string }>('SELECT hostname FROM decoys WHERE id = ?', session.decoy)
    return {
      ...session,
      hostname: decoy?.hostname ?? null,
      ttys: logs.map(({ sha256 }) => sha256),
      timeline: await timelineOf(store, session.id),
    }
  })

  // Text that is fit for a terminal, with its times. What the attacker's programs wrote raw leaves as asciicast only.
  app.get<ById>('/v1/sessions/:id/replay', async (request) => {
    const { session, frames, complete } = await recording(store, request.params.id)
    const filter = makeTerminalFilter()
    const shown = shownFrames(frames).map(({ atMs, data }) => ({ atMs, text: filter(data) }))
    const rest = filter(undefined)
    if (rest !== '') shown.push({ atMs: shown.at(-1)?.atMs ?? 0, text: rest })
    return { session: session.session, source: session.source, startedAt: session.first_at, complete, frames: shown }
  })

  app.get<ById>('/v1/sessions/:id/asciicast', async (request, reply) => {
    const { session, frames } = await recording(store, request.params.id)
    reply.type('application/x-asciicast')
    return asciicast(frames, {
      width: 80,
      height: 24,
      startedAt: session.first_at,
      title: `${session.source ?? 'unknown'} ${session.session}`,
    })
  })

  app.get('/v1/files', async (request) => ({
    items: await listFiles(store, check(z.object({ limit }), request.query).limit),
  }))
  app.get<{ Params: { sha256: string } }>('/v1/files/:sha256', (request) => findFile(store, request.params.sha256))
  app.get<{ Params: { sha256: string } }>('/v1/files/:sha256/data', async (request, reply) => {
    const { sha256 } = await findFile(store, request.params.sha256)
    const blob = await readBlob(store, sha256)
    if (!blob) throw notHere('bytes of the file', sha256)
    reply.header('content-disposition', 'attachment').type('application/octet-stream')
    return blob.data
  })
}

/** All terminal logs of a session as one, one after the other. */
async function recording(sql: Sql, id: string) {
  const session = await findSession(sql, id)
  const logs = await ttysOf(sql, session.id)
  if (logs.length === 0) throw notHere('terminal log of session', session.session)
  const frames: TtyFrame[] = []
  let complete = true
  for (const { data } of logs) {
    const log = parseTtyLog(data)
    const offset = frames.at(-1)?.atMs ?? 0
    frames.push(...log.frames.map((frame) => ({ ...frame, atMs: frame.atMs + offset })))
    complete &&= log.complete
  }
  return { session, frames, complete }
}

const notHere = (kind: string, value: string) =>
  new MarshlightError('NOT_FOUND', { kind, value, command: 'marshlight sessions ls' })
