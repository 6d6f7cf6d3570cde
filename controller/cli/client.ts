import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { type ErrorCode, type ErrorDetails, errorTexts, MarshlightError, wordsOf } from '../../shared/errors.ts'
import { plainly } from '../../shared/system-errors.ts'

export type ApiTarget = { socket: string } | { url: string; token: string; ca: string }

export interface ApiClient {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  put<T>(path: string, body?: unknown): Promise<T>
  delete<T>(path: string): Promise<T>
  /** Lines of an NDJSON stream until it ends or the signal aborts. */
  follow<T>(path: string, signal: AbortSignal): AsyncIterable<T>
  /** The body as bytes (a captured file, a picture). */
  bytes(path: string): Promise<Buffer>
  /** The body as it comes, and how many bytes it has. It ends with an error where fewer come. */
  download(path: string): Promise<{ content: Readable; bytes: number }>
  /** Sends a body of any size. */
  upload<T>(path: string, content: Readable): Promise<T>
}

/** The API over its socket, or over TLS with a token and a pinned CA. Errors of the server come out as MarshlightErrors. */
export function makeClient(target: () => ApiTarget): ApiClient {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await open(target(), method, path, body)
    const text = (await collect(response)).toString('utf8')
    const value: unknown = text === '' ? undefined : JSON.parse(text)
    if ((response.statusCode ?? 500) >= 400) throw asError(value)
    return value as T
  }
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body ?? {}),
    put: (path, body) => call('PUT', path, body ?? {}),
    delete: (path) => call('DELETE', path),
    async bytes(path) {
      const response = await open(target(), 'GET', path)
      const body = await collect(response)
      if ((response.statusCode ?? 500) >= 400) throw asError(JSON.parse(body.toString('utf8')))
      return body
    },
    async download(path) {
      const response = await open(target(), 'GET', path)
      if ((response.statusCode ?? 500) >= 400) throw asError(JSON.parse((await collect(response)).toString('utf8')))
      return { content: response, bytes: Number(response.headers['content-length']) }
    },
    upload: (path, content) => call('PUT', path, content),
    async *follow<T>(path: string, signal: AbortSignal) {
      const response = await open(target(), 'GET', path, undefined, signal)
      if ((response.statusCode ?? 500) >= 400) throw asError(JSON.parse((await collect(response)).toString('utf8')))
      try {
        for await (const line of createInterface({ input: response })) if (line !== '') yield JSON.parse(line) as T
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}

function open(
  target: ApiTarget,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const stream = body instanceof Readable ? body : undefined
  const payload = body === undefined || stream ? undefined : JSON.stringify(body)
  const type = stream ? 'application/octet-stream' : 'application/json'
  const headers: Record<string, string> = payload === undefined && !stream ? {} : { 'content-type': type }
  const options: RequestOptions = { method, path, headers, ...(signal && { signal }) }
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const address = 'socket' in target ? target.socket : target.url
      const told = plainly(error)
      reject(told === error ? new MarshlightError('API_UNREACHABLE', { address, why: wordsOf(error) }) : told)
    }
    const sent =
      'socket' in target
        ? httpRequest({ ...options, socketPath: target.socket }, resolve)
        : httpsRequest(
            new URL(path, target.url),
            { ...options, ca: target.ca, headers: { ...headers, authorization: `Bearer ${target.token}` } },
            resolve,
          )
    sent.on('error', fail)
    if (!stream) return void sent.end(payload)
    stream.on('error', (error) => {
      sent.destroy()
      reject(error)
    })
    stream.pipe(sent)
  })
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function asError(value: unknown): Error {
  const error = (
    value as { error?: { code: string; message: string; next: string; details?: ErrorDetails } } | undefined
  )?.error
  if (error && Object.hasOwn(errorTexts, error.code)) return new MarshlightError(error.code as ErrorCode, error.details)
  return new Error(error?.message ?? 'the controller answered with an error')
}
