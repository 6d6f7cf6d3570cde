import { MarshlightError, wordsOf } from '../../shared/errors.ts'

/** How far a connection came before it ended. */
export type Progress = 'opening' | 'secured' | 'welcomed'

/** TLS alerts by which a server turns a certificate down (RFC 8446, 6.2), as OpenSSL words them. */
const certificateAlert =
  /alert (bad|unsupported|unknown)?_?\s?certificate|certificate (required|revoked|expired|unknown)|unknown ca|access denied/i
const alertCode =
  /ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|CERTIFICATE_REQUIRED/

/**
 * Why a connection failed, in the registry's words. A broker that closes after the handshake without a word has turned
 * the certificate down as well: TLS 1.3 lets it do so only then. One such end may be a restart, so it takes three.
 */
export function connectionFailure(
  error: unknown,
  at: { address: string; progress: Progress; closedSilently: number },
): MarshlightError {
  const { code } = (error ?? {}) as { code?: string | number }
  const words = wordsOf(error)
  if (code === 4 || code === 5) return refused(`the broker says: ${words}`)
  if (alertCode.test(String(code)) || certificateAlert.test(words)) return refused(words)
  if (at.progress === 'secured' && at.closedSilently >= 3)
    return refused('the broker closes the connection as soon as it has seen the certificate')
  return new MarshlightError('CONTROLLER_UNREACHABLE', { address: at.address, why: words }, { cause: error })
}

const refused = (why: string) => new MarshlightError('CERTIFICATE_REFUSED', { why })
