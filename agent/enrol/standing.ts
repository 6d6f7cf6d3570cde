import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import { type WipeOrder, wipeOrder } from '../../shared/schemas/enrolment.ts'
import { signed } from '../../shared/schemas/envelope.ts'
import { publicKeyFromPem, verifyDocument } from '../../shared/signing.ts'
import { askController, readAnswer } from './ask.ts'
import { enrolAddress, type Identity, serialOf } from './identity.ts'

const answer = z.object({ wipe: signed.optional() })

/**
 * Asks the controller how the certificate of `identity` stands: the order to wipe this box, where there is one. A refused
 * connection alone never wipes: the order has to be signed by the controller's key, and name this agent and certificate.
 * Throws CONTROLLER_UNREACHABLE, DOCUMENT_*.
 */
export async function askStanding(identity: Identity, now: number, proxy?: string): Promise<WipeOrder | undefined> {
  const at = { ...enrolAddress(identity), proxy }
  const trust = { ca: identity.ca, key: identity.key, cert: identity.certificate }
  const { wipe } = readAnswer(at, await askController(at, trust, '/v1/standing', {}), answer, () => undefined)
  if (!wipe) return undefined
  const publicKey = publicKeyFromPem(identity.signingKey)
  const order = verifyDocument(JSON.stringify(wipe), wipeOrder, { publicKey, agent: identity.agent, now })
  const own = serialOf(identity.certificate)
  if (order.serial !== own)
    throw new MarshlightError('DOCUMENT_FOREIGN', { agent: `certificate ${own}`, meant: order.serial })
  return order
}
