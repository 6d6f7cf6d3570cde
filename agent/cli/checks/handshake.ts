import type { Socket } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'
import { type Identity, serverError } from '../../enrol/index.ts'

/** How far a TLS connection came. */
export type Shake =
  | { end: 'open'; protocol: string }
  /** No TLS at all came back, or nothing. `code`: OpenSSL's or the system's. */
  | { end: 'before'; code: string; why: string }
  /** The other side's certificate is not to be trusted. */
  | { end: 'distrusted'; code: string; issuer: string; from: string; until: string }
  /** It did not take ours. */
  | { end: 'refused'; code: string; why: string }

/** TLS 1.3 lets a server turn a certificate down only after the handshake: so long its alert is waited for. */
const alertMs = 700

/** Shakes hands as the agent does, and looks at the other's certificate instead of giving up; nothing is sent over it. */
export function shakeHands(identity: Identity, withinMs: number, signal: AbortSignal, tunnel?: Socket): Promise<Shake> {
  const { host, port } = identity.mqtt
  return new Promise((resolve) => {
    let secured = false
    let timer: NodeJS.Timeout | undefined
    const socket = connect({
      ...(tunnel ? { socket: tunnel } : { host, port }),
      ca: identity.ca,
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      checkServerIdentity: (_host: string, certificate: PeerCertificate) => serverError(certificate),
    })
    const end = (shake: Shake) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      socket.destroy()
      resolve(shake)
    }
    const broken = (code: string, why: string) => end({ end: secured ? 'refused' : 'before', code, why })
    const stop = () => broken('ABORTED', 'it was broken off')
    signal.addEventListener('abort', stop, { once: true })
    socket.setTimeout(withinMs, () => broken('ETIMEDOUT', `no answer within ${withinMs / 1000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => broken(error.code ?? 'UNKNOWN', error.message))
    socket.once('close', () => broken('CLOSED', 'the connection was closed'))
    socket.once('secureConnect', () => {
      secured = true
      if (!socket.authorized)
        return end({ end: 'distrusted', ...shownBy(socket.getPeerCertificate(), socket.authorizationError) })
      timer = setTimeout(() => end({ end: 'open', protocol: socket.getProtocol() ?? 'TLS' }), alertMs)
    })
    // Without a reader, the alert that refuses the certificate is never seen.
    socket.resume()
  })
}

/** What a certificate says of itself; another's words, so that they are cut short. */
function shownBy(certificate: PeerCertificate, error: Error | string | undefined) {
  const { issuer, valid_from: from = '', valid_to: until = '' } = certificate
  const code = typeof error === 'string' ? error : ((error as NodeJS.ErrnoException | undefined)?.code ?? 'UNKNOWN')
  const name = issuer?.O ?? issuer?.CN ?? 'nobody'
  return { code, issuer: String(Array.isArray(name) ? name[0] : name).slice(0, 60), from, until }
}
