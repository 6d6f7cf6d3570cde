import { createHash, type X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { openTunnel } from '../../shared/proxy-tunnel.ts'
import type { Address } from './ask.ts'

/** What the controller's clock says, and from when until when its certificate is good. Milliseconds since 1970. */
export type ControllerTime = { at: number; from: number; until: number }

const withinMs = 15_000
const serverAuthUsage = '1.3.6.1.5.5.7.3.1'

/**
 * Asks the enrolment server the time (the Date of its answer, RFC 9110, 6.6.1) with all checks but that of time: the CA
 * is the pinned one, it signed the server's certificate, the certificate is for servers, and the handshake proves its
 * key. Nothing is sent but the question. Throws CONTROLLER_UNREACHABLE, PROXY_REFUSED, CA_MISMATCH.
 */
export async function askTime({ host, port, proxy }: Address, pin: string): Promise<ControllerTime> {
  const address = `${host}:${port}`
  const unusable = (why: string, cause?: unknown) =>
    new MarshlightError('CONTROLLER_UNREACHABLE', { address, why }, { cause })
  const socket = proxy === undefined ? undefined : await openTunnel(proxy, { host, port })
  return new Promise((resolve, reject) => {
    const asked = request({
      host,
      port,
      ...(socket && { socket }),
      path: '/',
      method: 'HEAD',
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      agent: false,
      timeout: withinMs,
    })
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${withinMs / 1000} s`)))
    asked.once('error', (error) => reject(unusable(wordsOf(error), error)))
    asked.once('response', (response) => {
      const chain = chainOf(response.socket as TLSSocket)
      const at = Date.parse(response.headers.date ?? '')
      response.destroy()
      const [own] = chain
      const ca = chain.find(({ raw }) => createHash('sha256').update(raw).digest('hex') === pin)
      const seen = createHash('sha256')
        .update(chain.at(-1)?.raw ?? '')
        .digest('hex')
      if (!own || !ca) return reject(new MarshlightError('CA_MISMATCH', { address, seen, expected: pin }))
      const isServer = own.keyUsage?.includes(serverAuthUsage) === true
      if (own === ca || !isServer || !own.checkIssued(ca) || !own.verify(ca.publicKey))
        return reject(unusable('its certificate is not by the controller’s CA, or not a server’s'))
      if (!Number.isFinite(at)) return reject(unusable('its answer tells no time'))
      resolve({ at, from: Date.parse(own.validFrom), until: Date.parse(own.validTo) })
    })
    asked.end()
  })
}

/** What the server shows, its own first. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next = socket.getPeerX509Certificate()
  while (next && chain.length < 8 && !chain.some(({ raw }) => raw.equals(next?.raw as Buffer))) {
    chain.push(next)
    next = next.issuerCertificate
  }
  return chain
}
