import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { contains } from '../../shared/network.ts'
import { linkLocal } from './link-local.ts'
import { codeHtml, pageHeaders, takenHtml } from './page-html.ts'

const mostConnections = 8
const mostHeaderBytes = 4096
const withinMs = 5_000

export type PageOptions = {
  address: string
  port: number
  /** The networks of the card: only who is in one of them, or link-local, is answered. */
  networks(): readonly string[]
  html(): string
  /** Where a code may be typed now: takes it, or says in words why not. */
  codes(): Codes | undefined
}
export type Codes = { offer(controller: string, code: string): string | undefined }

/**
 * Serves the page on one address until it is closed: one document, to be read, by GET and HEAD. While the box belongs to
 * nobody and waits for its file there is a second one, a form for the code of an invitation.
 */
export async function openPage(o: PageOptions): Promise<{ close(): Promise<void> }> {
  const server: Server = createServer(
    { maxHeaderSize: mostHeaderBytes, headersTimeout: withinMs, requestTimeout: withinMs, keepAlive: false },
    (request, response) => answer(o, request, response),
  )
  server.maxConnections = mostConnections
  server.maxRequestsPerSocket = 1
  server.setTimeout(withinMs, (socket) => socket.destroy())
  server.on('connection', (socket) => {
    // A router between would be one that should not lead here (RFC 3927, 2.7).
    if (!isNear(socket.remoteAddress, o.networks())) socket.destroy()
  })
  server.on('clientError', (_, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: o.address, port: o.port, backlog: mostConnections }, resolve)
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const isNear = (ip: string | undefined, networks: readonly string[]): boolean =>
  ip !== undefined && /^[\d.]+$/.test(ip) && [linkLocal, ...networks].some((network) => contains(network, ip))

const mostFormBytes = 2048

function answer(o: PageOptions, request: IncomingMessage, response: ServerResponse): void {
  const { address, port, html } = o
  response.setHeader('connection', 'close')
  const end = (status: number, headers: Readonly<Record<string, string>>, text: string): void => {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) })
    response.end(request.method === 'HEAD' ? undefined : text)
  }
  const plain = { 'content-type': 'text/plain; charset=utf-8' }
  const { method, url } = request
  const codes = o.codes()
  const takes = url === '/code' && codes !== undefined
  const methods = takes ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD']
  // By a name that leads here, a page from elsewhere could read this one (DNS rebinding).
  const hosts = port === 80 ? [address, `${address}:80`] : [`${address}:${port}`]
  if (!hosts.includes(request.headers.host ?? '')) end(421, plain, 'ask by the address\n')
  else if (!methods.includes(method ?? '')) end(405, { ...plain, allow: methods.join(', ') }, 'read only\n')
  else if (url !== '/' && !takes) end(404, plain, 'there is one page: /\n')
  else if (url === '/') end(200, pageHeaders, html())
  else if (method !== 'POST') end(200, pageHeaders, codeHtml({ controller: '' }))
  // A page from elsewhere may send a form here, too; browsers say whose it is (Fetch, 3.1).
  else if (!hosts.some((host) => request.headers.origin === `http://${host}`)) end(403, plain, 'not from here\n')
  else
    void formOf(request).then((form) => {
      if (!form || !codes) return end(400, plain, 'this is no form\n')
      const controller = form.get('controller') ?? ''
      const wrong = codes.offer(controller, form.get('code') ?? '')
      if (wrong !== undefined) return end(422, pageHeaders, codeHtml({ controller, wrong }))
      end(200, pageHeaders, takenHtml())
    })
}

/** Undefined where it is too long, or another thing. */
async function formOf(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded\b/.test(request.headers['content-type'] ?? '')) return undefined
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > mostFormBytes) return undefined
      parts.push(part)
    }
  } catch {
    return undefined
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'))
}
