import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { z } from 'zod'
import { MarshlightError } from './errors.ts'
import { type Signed, signed } from './schemas/envelope.ts'

/** `document` as a signed envelope: Ed25519 over the exact bytes of the JSON body. */
export function signDocument(document: unknown, privateKey: KeyObject): Signed {
  const body = JSON.stringify(document)
  return { v: 1, body, sig: sign(null, Buffer.from(body), privateKey).toString('base64') }
}

type Expected = { publicKey: KeyObject; agent: string; now: number }

/**
 * The document in `payload` if it was signed by `publicKey`, is of `schema`, is meant for `agent`, and has not expired
 * at `now` (milliseconds). Revision order is the caller's to check, since it alone knows what it holds.
 * Throws MarshlightError DOCUMENT_MALFORMED, DOCUMENT_FORGED, DOCUMENT_FOREIGN or DOCUMENT_EXPIRED.
 */
export const verifyDocument = <T extends { agent: string; expiresAt: string }>(
  payload: Uint8Array | string,
  schema: z.ZodType<T>,
  expect: Expected,
): T => documentIn(signedBody(payload, expect), schema, expect)

/** The body in `payload`, if it was signed by `publicKey`: a small part of the whole work. Throws DOCUMENT_MALFORMED or DOCUMENT_FORGED. */
export function signedBody(payload: Uint8Array | string, expect: Pick<Expected, 'publicKey' | 'agent'>): string {
  const envelope = signed.safeParse(parseJson(payload))
  if (!envelope.success)
    throw new MarshlightError('DOCUMENT_MALFORMED', { why: envelope.error.issues[0]?.message ?? '' })
  const { body, sig } = envelope.data
  if (!verify(null, Buffer.from(body), expect.publicKey, Buffer.from(sig, 'base64')))
    throw new MarshlightError('DOCUMENT_FORGED', { agent: expect.agent })
  return body
}

/** The document that a signed body is, as `verifyDocument` has it. */
export function documentIn<T extends { agent: string; expiresAt: string }>(
  body: string,
  schema: z.ZodType<T>,
  expect: Pick<Expected, 'agent' | 'now'>,
): T {
  const document = schema.safeParse(parseJson(body))
  if (!document.success) {
    const issue = document.error.issues[0]
    throw new MarshlightError('DOCUMENT_MALFORMED', { why: `${issue?.path.join('.')}: ${issue?.message}` })
  }
  if (document.data.agent !== expect.agent)
    throw new MarshlightError('DOCUMENT_FOREIGN', { agent: expect.agent, meant: document.data.agent })
  if (Date.parse(document.data.expiresAt) <= expect.now)
    throw new MarshlightError('DOCUMENT_EXPIRED', { expiresAt: document.data.expiresAt })
  return document.data
}

/** An Ed25519 public key from its SPKI PEM. */
export const publicKeyFromPem = (pem: string): KeyObject => createPublicKey(pem)

function parseJson(text: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'))
  } catch {
    return undefined
  }
}
