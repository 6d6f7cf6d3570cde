import { createHash } from 'node:crypto'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'

const timeoutMs = 10_000

/**
 * The CA certificate (PEM) in the chain that `host:port` shows, if its fingerprint is the one of the token. Nothing is
 * sent on this connection; the next one verifies against this CA alone. Throws CA_MISMATCH, CONTROLLER_UNREACHABLE.
 */
export function fetchPinnedCa(host: string, port: number, fingerprint: string): Promise<string> {
  const address = `${host}:${port}`
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3', timeout: timeoutMs })
  const unreachable = (why: string) => reject(new MarshlightError('CONTROLLER_UNREACHABLE', { address, why }))
  socket.on('error', (error) => unreachable(wordsOf(error)))
  socket.on('timeout', () => {
    unreachable(`no answer within ${timeoutMs / 1000} s`)
    socket.destroy()
  })
  socket.on('secureConnect', () => {
    const chain = chainOf(socket.getPeerCertificate(true))
    const ca = chain.find((certificate) => sha256(certificate) === fingerprint)
    const top = chain.at(-1)
    socket.destroy()
    if (ca) resolve(pemOf(ca))
    else
      reject(new MarshlightError('CA_MISMATCH', { address, seen: top ? sha256(top) : 'none', expected: fingerprint }))
  })
  return promise
}

function chainOf(leaf: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = []
  for (let at = leaf; at?.raw && !chain.some((raw) => raw.equals(at.raw)); at = at.issuerCertificate) chain.push(at.raw)
  return chain
}

const sha256 = (der: Buffer) => createHash('sha256').update(der).digest('hex')
const pemOf = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
