import { createHash } from 'node:crypto'
import { connect, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls'
import { type EnrolmentCode, verifierOf } from '../../shared/enrolment-code.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { openTunnel } from '../../shared/proxy-tunnel.ts'
import type { Address } from './ask.ts'

const serverAuthUsage = '1.3.6.1.5.5.7.3.1'
const deadlineMs = 15_000

/**
 * The fleet's CA as the controller shows it, once its fingerprint is the pinned one. Nothing was sent yet, and the
 * server's own certificate is verified against this CA by the connection that follows.
 * Throws CONTROLLER_UNREACHABLE or CA_MISMATCH.
 */
export async function fetchPinnedCa(at: Address, expected: string): Promise<string> {
  const chain = await chainOf(at)
  const prints = chain.map(fingerprintOf)
  const found = chain[prints.indexOf(expected)]
  if (!found)
    throw new MarshlightError('CA_MISMATCH', { address: addressOf(at), seen: prints.at(-1) ?? 'none', expected })
  return pemOf(found)
}

/**
 * The same where all that is known of the CA is what a typed code says of it: 60 bits of a slow hash.
 * Throws CONTROLLER_UNREACHABLE or CODE_MISMATCH.
 */
export async function fetchCaOfCode(at: Address, code: EnrolmentCode): Promise<string> {
  // The CA comes last; one is stretched and no more, whatever the other side sends.
  const ca = (await chainOf(at)).at(-1)
  if (!ca || (await verifierOf(fingerprintOf(ca), code.secret)) !== code.verifier)
    throw new MarshlightError('CODE_MISMATCH', { address: addressOf(at) })
  return pemOf(ca)
}

const addressOf = ({ host, port }: Address) => `${host}:${port}`
const fingerprintOf = (der: Buffer) => createHash('sha256').update(der).digest('hex')
const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END CERTIFICATE-----\n`

const chainOf = (at: Address): Promise<Buffer[]> =>
  shownChain(at).catch((error) => {
    if (error instanceof MarshlightError) throw error
    throw new MarshlightError(
      'CONTROLLER_UNREACHABLE',
      { address: addressOf(at), why: wordsOf(error) },
      { cause: error },
    )
  })

/** The certificates the server shows, its own first. */
async function shownChain({ host, port, proxy }: Address): Promise<Buffer[]> {
  const tunnel = proxy === undefined ? undefined : await openTunnel(proxy, { host, port })
  return new Promise((resolve, reject) => {
    const way = tunnel ? { socket: tunnel } : { host, port }
    const socket = connect({ ...way, minVersion: 'TLSv1.3', rejectUnauthorized: false })
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
