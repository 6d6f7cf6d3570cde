import { z } from 'zod'
import { id, ipv4, untrusted, utc } from './common.ts'

/** What a finding is about. */
export const auditArea = z.enum([
  ...['services', 'system', 'ssh', 'telnet', 'banner', 'timing', 'hardware', 'arp', 'names', 'session', 'safety'],
] as const)

/** One thing that was looked at from a neighbour's place. */
export const auditFinding = z.object({
  area: auditArea,
  /** The probe's own name, as `ssh.wrong-version`. */
  probe: z.string().max(64),
  /** `unknown` counts neither for nor against: there was nothing to compare with, or the probe could not run. */
  verdict: z.enum(['equal', 'differs', 'unknown']),
  /** How much an attacker learns from it when it differs: 1 for a hint, 10 for certainty. */
  weight: z.number().min(0).max(10),
  seen: untrusted(512),
  expected: untrusted(512),
  words: untrusted(512),
})

/**
 * An audit of one decoy. `score`, 0 to 100: 100 times the weight of what was equal, divided by the weight of all that
 * could be compared.
 */
export const auditReport = z.object({
  type: z.literal('audit'),
  at: utc,
  id,
  decoy: id,
  persona: id,
  personaVersion: z.int().min(1),
  revision: z.int().min(0),
  request: id.optional(),
  score: z.number().min(0).max(100),
  /** Real hosts of the segment that it was compared with. */
  beside: z.array(ipv4).max(16),
  findings: z.array(auditFinding).max(256),
  tookMs: z.number().min(0),
})

export type AuditArea = z.infer<typeof auditArea>
export type AuditFinding = z.infer<typeof auditFinding>
export type AuditReport = z.infer<typeof auditReport>
