import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { contains } from '../../shared/network.ts'
import { linkLocal } from './link-local.ts'
import { pageHeaders } from './page-html.ts'

const mostConnections = 8
const mostHeaderBytes = 4096
const withinMs = 5_000

export type PageOptions = {
  address: string
  port: number
  /** The networks of the card: only who is in one of them, or link-local, is answered. */
  networks(): readonly string[]
  html(): string
}

/** Serves the page on one address until it is closed: one document, to be read, by GET and HEAD. */
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

function answer({ address, port, html }: PageOptions, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close')
  const end = (status: number, headers: Readonly<Record<string, string>>, text: string): void => {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) })
    response.end(request.method === 'HEAD' ? undefined : text)
  }
  const plain = { 'content-type': 'text/plain; charset=utf-8' }
  // By a name that leads here, a page from elsewhere could read this one (DNS rebinding).
  const hosts = port === 80 ? [address, `${address}:80`] : [`${address}:${port}`]
  if (!hosts.includes(request.headers.host ?? '')) end(421, plain, 'ask by the address\n')
  else if (request.method !== 'GET' && request.method !== 'HEAD')
    end(405, { ...plain, allow: 'GET, HEAD' }, 'read only\n')
  else if (request.url !== '/') end(404, plain, 'there is one page: /\n')
  else end(200, pageHeaders, html())
}
