import { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { Deps } from '../deps.ts'
import { admit, isPresent, type Peer } from './certificates.ts'

/**
 * The agent whose certificate the other side of a TLS connection showed, verified but not looked up; `endedAt` where it ended
 * meanwhile. Throws CERTIFICATE_REFUSED where there is no good one.
 */
export function shownBy(socket: object, caPem: string, { expiredToo = false } = {}): Peer & { endedAt?: number } {
  const shown = socket instanceof TLSSocket ? socket : undefined
  const certificate = shown?.getPeerX509Certificate()
  const name = shown?.getPeerCertificate()?.subject?.CN
  const isExpired = String(shown?.authorizationError) === 'CERT_HAS_EXPIRED'
  // Of several faults TLS tells the last alone: one that has ended may be signed by nobody we know as well.
  const isOurs = certificate?.verify(new X509Certificate(caPem).publicKey) === true
  if (!shown || !certificate || typeof name !== 'string' || !isOurs || !(shown.authorized || (expiredToo && isExpired)))
    throw new MarshlightError('CERTIFICATE_REFUSED', {
      why: shown?.authorizationError ? String(shown.authorizationError) : 'there is none',
    })
  return {
    agent: name,
    serial: certificate.serialNumber.toLowerCase(),
    ...(isExpired && { endedAt: Date.parse(certificate.validTo) }),
  }
}

/** The agent that asks, if its certificate is good now; one that a renewal gave is in use from here on. */
export async function admitted(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  caPem: string,
  socket: object,
): Promise<string> {
  const peer = shownBy(socket, caPem)
  if (await isPresent(store, peer)) return peer.agent
  const { refusal } = await store.tx((sql) => admit(sql, peer, isoNow(clock)))
  if (refusal !== undefined) throw new MarshlightError('CERTIFICATE_REFUSED', { why: refusal })
  return peer.agent
}
