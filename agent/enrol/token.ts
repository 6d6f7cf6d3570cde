import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import { sha256, utc } from '../../shared/schemas/common.ts'

const token = z.object({
  id: z.uuidv7(),
  secret: z.string().min(16).max(128),
  /** SHA-256 of the DER of the controller's CA certificate. */
  ca: sha256,
  exp: utc,
  controller: z.string().max(300).optional(),
})
export type EnrolToken = z.infer<typeof token>

/** The token in `text` (`ml1.` and base64url JSON). Throws TOKEN_INVALID or TOKEN_EXPIRED; never repeats the secret. */
export function readToken(text: string, now: number): EnrolToken {
  const trimmed = text.trim()
  if (!trimmed.startsWith('ml1.')) throw new MarshlightError('TOKEN_INVALID', { why: 'it does not begin with ml1.' })
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(trimmed.slice(4), 'base64url').toString('utf8'))
  } catch {
    throw new MarshlightError('TOKEN_INVALID', { why: 'it was cut or altered' })
  }
  const parsed = token.safeParse(value)
  if (!parsed.success)
    throw new MarshlightError('TOKEN_INVALID', {
      why: `its ${parsed.error.issues[0]?.path.join('.')} is missing or wrong`,
    })
  const { id, exp } = parsed.data
  if (Date.parse(exp) <= now) throw new MarshlightError('TOKEN_EXPIRED', { id, expiresAt: exp })
  return parsed.data
}

/** Host and port of `HOST:PORT`. Throws USAGE. */
export function readAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s/]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port < 1 || port > 65535)
    throw new MarshlightError('USAGE', {
      what: `the controller is ${JSON.stringify(text)}, not HOST:PORT`,
      command: 'marshlight-agent enrol',
    })
  return { host: match[1] ?? match[2] ?? '', port }
}
