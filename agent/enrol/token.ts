import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import { sha256, utc } from '../../shared/schemas/common.ts'

/** What an invitation says. `secret` never goes to a log. */
const tokenBody = z.object({
  id: z.string().min(1).max(64),
  secret: z.string().min(1).max(128),
  /** SHA-256 of the CA certificate's DER: pins the controller. */
  ca: sha256,
  exp: utc,
  controller: z.string().max(300).optional(),
})
export type Token = z.infer<typeof tokenBody>

const prefix = 'ml1.'

/** The token in `text`. Throws TOKEN_INVALID or TOKEN_EXPIRED, without quoting the token. */
export function parseToken(text: string, now: number): Token {
  const trimmed = text.trim()
  if (!trimmed.startsWith(prefix))
    throw new MarshlightError('TOKEN_INVALID', { why: `it does not begin with ${prefix}` })
  const body = tokenBody.safeParse(jsonOf(Buffer.from(trimmed.slice(prefix.length), 'base64url').toString('utf8')))
  if (!body.success) throw new MarshlightError('TOKEN_INVALID', { why: 'it is incomplete; was it cut when copied?' })
  if (Date.parse(body.data.exp) <= now)
    throw new MarshlightError('TOKEN_EXPIRED', { id: body.data.id, expiresAt: body.data.exp })
  return body.data
}

/** `host:port`, the host in brackets where it is an IPv6 address. Throws USAGE. */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port < 1 || port > 65535)
    throw new MarshlightError('USAGE', { what: `"${text}" is not HOST:PORT`, command: 'marshlight-agent enrol' })
  return { host: (match[1] ?? match[2]) as string, port }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
