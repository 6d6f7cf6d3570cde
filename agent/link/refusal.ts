import { MarshlightError, wordsOf } from '../../shared/errors.ts'

/** How far a connection came before it ended. */
export type Progress = 'opening' | 'accepted' | 'secured' | 'welcomed'

/** TLS alerts by which a server turns a certificate down (RFC 8446, 6.2), as OpenSSL words them. */
const certificateAlert =
  /alert (bad|unsupported|unknown)?_?\s?certificate|certificate (required|revoked|expired|unknown)|unknown ca|access denied/i
const alertCode =
  /ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|CERTIFICATE_REQUIRED/

/** What the MQTT library says when its patience for the CONNACK is over. */
const noAnswer = /^connack timeout$/
/** What is said of a connection that ended without an error. */
export const closedSilently = 'the connection was closed'
/** CONNACK 3: server unavailable (MQTT 3.1.1, 3.2.2.3). */
const unavailable = 3

/**
 * Why a connection failed, in the registry's words. A broker that closes after the handshake without a word has turned
 * the certificate down as well: TLS 1.3 lets it do so only then. One such end may be a restart, so it takes three. One
 * that takes the connection and closes it before the handshake, or has no time for it, has too many at its door.
 */
export function connectionFailure(
  error: unknown,
  at: { address: string; progress: Progress; closedSilently: number },
): MarshlightError {
  const { code } = (error ?? {}) as { code?: string | number }
  const { address, progress } = at
  const words = wordsOf(error)
  if (code === unavailable) return new MarshlightError('CONTROLLER_BUSY', { address, why: words }, { cause: error })
  if (code === 4 || code === 5) return refused(`the broker says: ${words}`)
  if (alertCode.test(String(code)) || certificateAlert.test(words)) return refused(words)
  if ((progress === 'accepted' && closed(error)) || (progress === 'secured' && noAnswer.test(words)))
    return new MarshlightError('CONTROLLER_BUSY', { address, why: words }, { cause: error })
  if (progress === 'secured' && at.closedSilently >= 3)
    return refused('the broker closes the connection as soon as it has seen the certificate')
  return new MarshlightError('CONTROLLER_UNREACHABLE', { address, why: words }, { cause: error })
}

/** Closed by the other side, or not served in time; not an error of TLS. */
function closed(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: string }
  return code === 'ECONNRESET' || code === 'EPIPE' || message === closedSilently || noAnswer.test(message ?? '')
}

const refused = (why: string) => new MarshlightError('CERTIFICATE_REFUSED', { why })
