import { z } from 'zod'
import { behaviourKinds } from '../attackers/index.ts'
import evidenceFile from './evidence.json' with { type: 'json' }

/**
 * What a behaviour is worth. `weight`: how far it alone moves the score, as a share of the way to 100. `full`: the
 * amount (times, decayed) from which it counts in full; below that in proportion. `one`, `many`: the reason in words,
 * with `{count}` and `{detail}`.
 */
const evidenceRule = z.strictObject({
  id: z.string().regex(/^[a-z.]{1,32}$/),
  behaviour: z.enum(behaviourKinds),
  weight: z.number().gt(0).max(0.95),
  full: z.number().gt(0),
  /** Time in which its amount halves; the configured one where not given. */
  halfLifeHours: z.number().gt(0).optional(),
  one: z.string().max(120),
  many: z.string().max(120),
})
export const evidenceRules = z.strictObject({ evidence: z.array(evidenceRule).min(1) })

export type EvidenceRule = Omit<z.infer<typeof evidenceRule>, 'halfLifeHours'> & { halfLifeMs: number }

/** The rules that come with the program. */
export const shippedEvidence = (halfLifeHours: number): EvidenceRule[] =>
  evidenceRules
    .parse(evidenceFile)
    .evidence.map(({ halfLifeHours: own, ...rule }) => ({ ...rule, halfLifeMs: (own ?? halfLifeHours) * 3_600_000 }))
