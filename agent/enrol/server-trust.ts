import { createHash } from 'node:crypto'
import { connect, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'

const serverAuthUsage = '1.3.6.1.5.5.7.3.1'
const deadlineMs = 15_000

/**
 * The fleet's CA as the controller shows it, once its fingerprint is the pinned one. Nothing was sent yet, and the
 * server's own certificate is verified against this CA by the connection that follows.
 * Throws CONTROLLER_UNREACHABLE or CA_MISMATCH.
 */
export async function fetchPinnedCa(at: { host: string; port: number }, expected: string): Promise<string> {
  const address = `${at.host}:${at.port}`
  const chain = await shownChain(at).catch((error) => {
    throw new MarshlightError('CONTROLLER_UNREACHABLE', { address, why: wordsOf(error) }, { cause: error })
  })
  const prints = chain.map((der) => createHash('sha256').update(der).digest('hex'))
  const found = chain[prints.indexOf(expected)]
  if (!found) throw new MarshlightError('CA_MISMATCH', { address, seen: prints.at(-1) ?? 'none', expected })
  return `-----BEGIN CERTIFICATE-----\n${found
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** The certificates the server shows, its own first. */
function shownChain(at: { host: string; port: number }): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...at, minVersion: 'TLSv1.3', rejectUnauthorized: false })
    socket.setTimeout(deadlineMs, () => socket.destroy(new Error(`no answer within ${deadlineMs / 1000} s`)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    socket.once('secureConnect', () => {
      const chain: Buffer[] = []
      let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
      while (next?.raw && !chain.some((der) => der.equals((next as DetailedPeerCertificate).raw))) {
        chain.push(next.raw)
        next = next.issuerCertificate
      }
      resolve(chain)
      socket.destroy()
    })
  })
}

/**
 * The CA is the fleet's own and pinned, and signs agents' certificates for clients only. So a certificate of it that is
 * meant for servers is the controller's, by whatever name or address this segment reaches it.
 */
export function serverError(certificate: PeerCertificate): Error | undefined {
  if (certificate.ext_key_usage?.includes(serverAuthUsage)) return undefined
  return new MarshlightError('CERTIFICATE_REFUSED', {
    why: 'the other side shows a certificate that is not a server’s',
  })
}
