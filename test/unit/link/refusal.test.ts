import t from 'tap'
import { connectionFailure } from '../../../agent/link/refusal.ts'

const at = { address: 'c:8883', progress: 'opening' as const, closedSilently: 0 }
const coded = (message: string, code: string | number) => Object.assign(new Error(message), { code })

t.test('a certificate that was turned down is told from a controller that does not answer', async (t) => {
  const refused: unknown[] = [
    coded('ssl/tls alert certificate revoked', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED'),
    coded('tlsv1 alert unknown ca', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'),
    coded('tlsv13 alert certificate required', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
    coded('Connection refused: Not authorized', 5),
  ]
  for (const error of refused) t.equal(connectionFailure(error, at).code, 'CERTIFICATE_REFUSED', String(error))
  const away = [coded('connect ECONNREFUSED', 'ECONNREFUSED'), new Error('getaddrinfo ENOTFOUND c'), undefined]
  for (const error of away) t.equal(connectionFailure(error, at).code, 'CONTROLLER_UNREACHABLE', String(error))
})

t.test(
  'a broker that closes after every handshake has turned the certificate down; once may be a restart',
  async (t) => {
    const closed = new Error('the connection was closed')
    t.equal(connectionFailure(closed, { ...at, progress: 'secured', closedSilently: 1 }).code, 'CONTROLLER_UNREACHABLE')
    t.equal(connectionFailure(closed, { ...at, progress: 'secured', closedSilently: 3 }).code, 'CERTIFICATE_REFUSED')
    t.equal(
      connectionFailure(closed, { ...at, progress: 'welcomed', closedSilently: 9 }).code,
      'CONTROLLER_UNREACHABLE',
    )
  },
)

t.test('a controller with too many at its door is told from one that refuses or is away', async (t) => {
  const reset = coded('Client network socket disconnected before secure TLS connection was established', 'ECONNRESET')
  const busy: [unknown, 'opening' | 'accepted' | 'secured'][] = [
    [reset, 'accepted'],
    [new Error('the connection was closed'), 'accepted'],
    [new Error('connack timeout'), 'accepted'],
    [new Error('connack timeout'), 'secured'],
    [coded('Connection refused: Server unavailable', 3), 'secured'],
  ]
  for (const [error, progress] of busy)
    t.equal(connectionFailure(error, { ...at, progress, closedSilently: 9 }).code, 'CONTROLLER_BUSY', String(error))
  t.equal(connectionFailure(new Error('connack timeout'), at).code, 'CONTROLLER_UNREACHABLE', 'no address answers')
  const impostor = coded('its certificate is not the controller’s', 'ERR_TLS_CERT_ALTNAME_INVALID')
  t.equal(connectionFailure(impostor, { ...at, progress: 'accepted' }).code, 'CONTROLLER_UNREACHABLE')
})
