import { z } from 'zod'
import { id, untrusted, utc } from './common.ts'
import { hardware } from './hardware.ts'

/** POST /v1/renew at the enrolment server, asked with the present certificate; by `hardware` also after its end. */
export const renewRequest = z.object({
  csr: z.string().max(8192),
  hardware: hardware.optional(),
  hostname: untrusted(253).optional(),
})
export const renewAnswer = z.object({ certificate: z.string().max(16_384) })
export type RenewAnswer = z.infer<typeof renewAnswer>

/**
 * Signed: a box that holds this certificate of this agent is to forget all it holds. Of one serial, since a box that was
 * swapped for another shares its agent with the new one.
 */
export const wipeOrder = z.object({
  kind: z.literal('wipe'),
  agent: id,
  /** Hexadecimal, lower case. */
  serial: z.string().regex(/^[0-9a-f]{1,40}$/),
  issuedAt: utc,
  expiresAt: utc,
  reason: untrusted(256),
})
export type WipeOrder = z.infer<typeof wipeOrder>
