import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { wordsOf } from '../../shared/errors.ts'
import { releaseVersion } from '../../shared/schemas/update.ts'
import type { Deps } from '../deps.ts'
import { folderOf, listReleases } from './releases.ts'
import { makePacer, makeSlots } from './slots.ts'

/** Pieces small enough that many boxes share a thin line without one of them seeming dead. */
const pieceBytes = 16_384
/** A box that takes nothing for so long has gone. */
const stillMs = 180_000

type Who = (request: FastifyRequest) => Promise<string>

/**
 * `GET /v1/releases/<version>/<file>` for boxes: any part of a release that is here, from any byte on (RFC 9110, 14; a
 * single range), bounded in number and speed. Who asks is whom `who` finds by the certificate; it throws for others.
 */
export function makeDownloads({ config, store, dataDir, clock, random, log }: Omit<Deps, 'bus'>) {
  const slots = makeSlots(config.updates.downloads, { clock, random })
  const paced = makePacer(config.updates.bytesPerSecond, clock)

  async function find(params: unknown): Promise<{ path: string; bytes: number; sha256: string } | undefined> {
    const { version = '', file = '' } = params as { version?: string; file?: string }
    if (!releaseVersion.safeParse(version).success) return undefined
    const release = (await listReleases(store)).find((one) => one.version === version)
    const part = release?.manifest.parts.find((one) => one.file === file)
    return part && { path: join(folderOf(dataDir, version), part.file), bytes: part.bytes, sha256: part.sha256 }
  }

  async function answer(request: FastifyRequest, reply: FastifyReply, agent: string): Promise<FastifyReply> {
    const part = await find(request.params)
    if (!part) return reply.status(404).send(missing)
    const tag = `"${part.sha256}"`
    const { range, 'if-range': ifRange } = request.headers
    const span = spanOf(ifRange === undefined || ifRange === tag ? range : undefined, part.bytes)
    reply.header('etag', tag).header('accept-ranges', 'bytes').type('application/octet-stream')
    if (span === 'none') return reply.status(416).header('content-range', `bytes */${part.bytes}`).send()
    const slot = slots.take(agent)
    if ('retryAfterSeconds' in slot)
      return reply.status(503).header('retry-after', slot.retryAfterSeconds).type('application/json').send(busy)
    const [first, last] = span ?? [0, part.bytes - 1]
    if (span) reply.status(206).header('content-range', `bytes ${first}-${last}/${part.bytes}`)
    const file = createReadStream(part.path, { start: first, end: last, highWaterMark: pieceBytes })
    const content = Readable.from(paced(file, slot.signal), { objectMode: false })
    const end = () => {
      slot.release()
      file.destroy()
    }
    slot.signal.addEventListener('abort', () => reply.raw.destroy(), { once: true })
    reply.raw.once('close', end)
    reply.raw.setTimeout(stillMs, () => reply.raw.destroy())
    content.on('error', (error) => {
      if (!slot.signal.aborted) log.warn({ agent, why: wordsOf(error) }, 'a release could not be sent to its end')
    })
    return reply.header('content-length', last - first + 1).send(content)
  }

  return {
    routes(app: FastifyInstance, who: Who): void {
      app.get('/v1/releases/:version/:file', async (request, reply) => answer(request, reply, await who(request)))
    },
    /** A box whose certificate ended gets nothing more. */
    end: slots.end,
    taken: slots.taken,
  }
}

const error = (code: string, message: string, next: string) => ({ error: { code, message, next } })
const missing = error('NOT_FOUND', 'there is no such file of a release', 'It was removed, or never added.')
const busy = error('TIMEOUT', 'too many boxes fetch at present', 'Come again after Retry-After.')

/** First and last byte asked for; undefined for all of it, also where more than one range is asked for (RFC 9110, 14.2). */
function spanOf(range: string | undefined, bytes: number): [first: number, last: number] | 'none' | undefined {
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(range ?? '')
  if (!match) return undefined
  const first = Number(match[1])
  const last = Math.min(match[2] ? Number(match[2]) : Number.POSITIVE_INFINITY, bytes - 1)
  return first >= bytes || last < first ? 'none' : [first, last]
}
