import { z } from 'zod'
import { auditArea } from '../../shared/schemas/audit.ts'
import { ipv4, port, untrusted, utc } from '../../shared/schemas/common.ts'
import { auditNeighbour, desiredDecoy, vantage } from '../../shared/schemas/desired-state.ts'
import { persona } from '../../shared/schemas/persona.ts'

const common = { from: vantage, prefix: z.int().min(8).max(30), decoy: desiredDecoy, persona }

/** What the process that looks is told, as one line on its standard input. */
export const job = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('audit'),
    ...common,
    beside: z.array(auditNeighbour).max(8),
    /** Names by reverse DNS, asked from the appliance's own place. */
    names: z.record(z.string(), z.array(untrusted(253)).max(8)),
  }),
  z.object({ do: z.literal('touch'), ...common, username: z.string().max(32), password: z.string().max(64) }),
])

/** A finding before it is weighed. */
export const bareFinding = z.object({
  area: auditArea,
  probe: z.string().max(64),
  verdict: z.enum(['equal', 'differs', 'unknown']),
  seen: untrusted(512),
  expected: untrusted(512),
  words: untrusted(512),
})

/** What it tells, a line each, on its standard output. `ready`: it stands in a network of its own, and waits for its card. */
export const told = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('finding'), finding: bareFinding }),
  z.object({ type: z.literal('touched'), at: utc, port, to: ipv4, login: z.boolean(), answer: untrusted(256) }),
  z.object({ type: z.literal('done') }),
  z.object({ type: z.literal('failed'), message: untrusted(512) }),
])

export type Job = z.infer<typeof job>
export type AuditJob = Extract<Job, { do: 'audit' }>
export type TouchJob = Extract<Job, { do: 'touch' }>
export type BareFinding = z.infer<typeof bareFinding>
export type Told = z.infer<typeof told>
