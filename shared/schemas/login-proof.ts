import { z } from 'zod'
import { untrusted } from './common.ts'

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
const hexText = z.string().regex(/^([0-9a-f]{2}){0,2048}$/)
const word = untrusted(512)

/**
 * How a log-in proved a password without saying it, as the `data` of a log-in's event: the challenge that the decoy gave
 * and the answer that came. Whoever knows candidates can tell which of them makes that answer; no decoy is told any.
 */
export const loginProof = z.discriminatedUnion('scheme', [
  /** NTLM of both versions (MS-NLMP, 3.3): SMB, RDP, WinRM, RPC. `lmResponse` bears the client's challenge of version 1. */
  z.object({
    scheme: z.literal('ntlm'),
    salt: hex(8),
    response: hexText,
    lmResponse: hexText.optional(),
    domain: untrusted(256).optional(),
  }),
  /** RFC 7616: HTTP and RTSP. */
  z.object({
    scheme: z.literal('digest'),
    realm: word,
    nonce: word,
    uri: untrusted(2048),
    method: untrusted(32),
    response: z.string().regex(/^[0-9a-f]{32}([0-9a-f]{32})?$/),
    algorithm: untrusted(32).optional(),
    qop: untrusted(32).optional(),
    nc: untrusted(16).optional(),
    cnonce: word.optional(),
  }),
  z.object({ scheme: z.literal('mysql-native'), salt: hex(20), response: hex(20) }),
  z.object({ scheme: z.literal('mysql-sha2'), salt: hex(20), response: hex(32) }),
  z.object({ scheme: z.literal('postgres-md5'), salt: hex(4), response: z.string().regex(/^md5[0-9a-f]{32}$/) }),
  /** RFC 5802 and 7677. `exchange` is its AuthMessage. */
  z.object({
    scheme: z.literal('scram-sha-256'),
    salt: hexText,
    iterations: z.int().min(1).max(10_000),
    exchange: untrusted(2048),
    response: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  }),
  /** RFC 6143, 7.2.2: of the password no more than eight letters count. */
  z.object({ scheme: z.literal('vnc'), salt: hex(16), response: hex(16) }),
])

export type LoginProof = z.infer<typeof loginProof>
