import { request } from 'node:http'
import type { Socket } from 'node:net'
import { MarshlightError, wordsOf } from './errors.ts'

export type ProxyTarget = { host: string; port: number }
const withinMs = 15_000

/**
 * A connection to `to` through the HTTP proxy at `proxy` (`http://HOST:PORT`), by CONNECT (RFC 9110, 9.3.6). The proxy
 * looks the name up; what goes through is the caller's TLS, which it cannot read. Throws PROXY_REFUSED.
 */
export function openTunnel(proxy: string, to: ProxyTarget, signal?: AbortSignal): Promise<Socket> {
  const target = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`
  const refused = (why: string, cause?: unknown) =>
    new MarshlightError('PROXY_REFUSED', { proxy, address: target, why }, { cause })
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(proxy)
    const asked = request({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port || 80,
      method: 'CONNECT',
      path: target,
      headers: { host: target },
      agent: false,
      ...(signal && { signal }),
    })
    asked.setTimeout(withinMs, () => asked.destroy(new Error(`no answer within ${withinMs / 1000} s`)))
    asked.once('connect', ({ statusCode = 0, statusMessage = '' }, socket, head) => {
      socket.setTimeout(0)
      if (statusCode >= 200 && statusCode < 300) {
        // A server that speaks first may have begun already.
        if (head.length > 0) socket.unshift(head)
        return resolve(socket as Socket)
      }
      socket.destroy()
      reject(refused(`it answers ${statusCode} ${statusMessage}`.slice(0, 120)))
    })
    // Any proxy answers CONNECT as such; what does not is no proxy.
    asked.once('response', (response) => {
      response.destroy()
      reject(refused(`it answers ${response.statusCode ?? 0}, as no proxy does`))
    })
    asked.once('error', (error) => reject(refused(wordsOf(error), error)))
    asked.end()
  })
}
