import { open, readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { Socket } from 'node:net'
import type { PeerCertificate } from 'node:tls'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import { openTunnel } from '../../shared/proxy-tunnel.ts'
import type { TokenBucket } from './token-bucket.ts'

/** Where releases are served, and how this box shows who it is. */
export type Origin = {
  host: string
  port: number
  /** The HTTP proxy on the way, as http://HOST:PORT. */
  proxy?: string | undefined
  ca: string
  key: string
  cert: string
  checkServer(certificate: PeerCertificate): Error | undefined
}

/** Come again, not before so many milliseconds where the server said so. */
export class NotNow extends Error {
  readonly afterMs: number | undefined
  constructor(why: string, afterMs?: number, options?: ErrorOptions) {
    super(why, options)
    this.afterMs = afterMs
  }
}

export type Fetch = {
  origin: Origin
  path: string
  /** Where its bytes go; what is there already is `from` bytes. */
  file: string
  from: number
  bytes: number
  bucket: TokenBucket
  signal: AbortSignal
  onBytes(here: number): void
}

const answerWithinMs = 30_000
/** A slow cap reads seldom, so the line may be still for long. */
const stillMs = 180_000
const syncEvery = 8_388_608

export const tagFile = (file: string) => `${file}.etag`

/**
 * Brings a file from byte `from` on (RFC 9110, 14: ranges; 13.1.5: If-Range). What the server has changed since is begun
 * anew. Nothing of it is trusted: the caller verifies the whole. Throws NotNow for all that may be better later.
 */
export async function fetchFile(o: Fetch): Promise<void> {
  o.signal.throwIfAborted()
  const tag = o.from > 0 ? await readFile(tagFile(o.file), 'latin1').catch(() => undefined) : undefined
  const from = tag ? o.from : 0
  const response = await answerTo(o, from > 0 && tag ? { range: `bytes=${from}-`, 'if-range': tag } : {})
  try {
    await keep(o, response, from, tag)
  } catch (error) {
    o.signal.throwIfAborted()
    if (error instanceof NotNow || error instanceof MarshlightError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw new MarshlightError('DISK_FULL', { path: o.file })
    throw new NotNow(`the line broke off: ${wordsOf(error)}`, undefined, { cause: error })
  } finally {
    response.destroy()
  }
}

async function keep(o: Fetch, response: IncomingMessage, from: number, tag: string | undefined): Promise<void> {
  const status = response.statusCode ?? 0
  if (status !== 200 && status !== 206 && status !== 416) throw refusal(response)
  const { begin, whole } = spanOf(response)
  if (whole !== undefined && whole !== o.bytes)
    throw new MarshlightError('UPDATE_ALTERED', { file: o.path, why: `it has ${whole} bytes, not ${o.bytes}` })
  if (status === 416) throw new NotNow(`it has no bytes from ${from} on`)
  if (begin !== from && begin !== 0) throw new NotNow(`asked for bytes from ${from} on, it sent those from ${begin} on`)
  const now = response.headers.etag
  // A weak tag does not vouch for bytes: such a file is begun anew each time.
  if (now && now !== tag && !now.startsWith('W/')) await writeFileAtomic(tagFile(o.file), now.slice(0, 256))
  const file = await open(o.file, begin > 0 ? 'r+' : 'w', 0o600)
  try {
    let here = begin
    let unsynced = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      await o.bucket.take(chunk.length, o.signal)
      o.signal.throwIfAborted()
      const some = chunk.subarray(0, o.bytes - here)
      await file.write(some, 0, some.length, here)
      here += some.length
      unsynced += some.length
      if (unsynced >= syncEvery) {
        await file.datasync()
        unsynced = 0
      }
      o.onBytes(here)
      // More than was signed for is not what was signed.
      if (here === o.bytes) break
    }
    await file.sync()
    if (here < o.bytes) throw new NotNow(`it ended after ${here} of ${o.bytes} bytes`)
  } finally {
    await file.close()
  }
}

async function answerTo(o: Fetch, headers: Record<string, string>): Promise<IncomingMessage> {
  const { host, port, proxy, ca, key, cert, checkServer } = o.origin
  const socket = proxy === undefined ? undefined : await throughProxy(proxy, o)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host, port, ca, key, cert, path: o.path, headers },
        ...(socket && { socket }),
        method: 'GET',
        minVersion: 'TLSv1.3',
        checkServerIdentity: (_host, certificate) => checkServer(certificate),
        agent: false,
        signal: o.signal,
        timeout: answerWithinMs,
      },
      (response) => {
        sent.setTimeout(stillMs)
        resolve(response)
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('nothing came for too long')))
    sent.on('error', (error) => {
      if (o.signal.aborted) return reject(o.signal.reason)
      reject(new NotNow(`${host}:${port} does not answer: ${wordsOf(error)}`, undefined, { cause: error }))
    })
    sent.end()
  })
}

/** A proxy that gives no way now may give one later. */
const throughProxy = (proxy: string, { origin: { host, port }, signal }: Fetch): Promise<Socket> =>
  openTunnel(proxy, { host, port }, signal).catch((error: Error) => {
    signal.throwIfAborted()
    throw new NotNow(error.message, undefined, { cause: error })
  })

/** The first byte it holds, and how many the file has: `bytes 500-999/1000`, of 416 `bytes *\/1000`. */
function spanOf({ headers, statusCode }: IncomingMessage): { begin: number; whole?: number } {
  const length = Number(headers['content-length'] ?? Number.NaN)
  if (statusCode === 200) return { begin: 0, ...(Number.isFinite(length) && { whole: length }) }
  const [, begin, whole] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
  if (statusCode === 206 && begin === undefined) throw new NotNow('its answer does not say which bytes it holds')
  return { begin: Number(begin ?? 0), ...(whole !== undefined && whole !== '*' && { whole: Number(whole) }) }
}

function refusal({ statusCode, headers }: IncomingMessage): NotNow {
  const told = headers['retry-after']
  const seconds = told === undefined ? Number.NaN : Number(told)
  const afterMs = Number.isNaN(seconds) ? Date.parse(told ?? '') - Date.parse(headers.date ?? '') : seconds * 1000
  const known = Number.isFinite(afterMs) && afterMs >= 0
  return new NotNow(`it answered ${statusCode}`, known ? afterMs : undefined)
}
