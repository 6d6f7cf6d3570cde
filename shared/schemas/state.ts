import { z } from 'zod'
import { cidr4, id, ipv4, mac, sha256, untrusted, utc } from './common.ts'
import { hardware } from './hardware.ts'
import { running } from './update.ts'

/** `condemned`: it was seen to be unsafe; nothing of it runs before an administrator released it. */
export const decoyPhase = z.enum([
  'waiting',
  'creating',
  'ready',
  'failing',
  'rejected',
  'condemned',
  'withdrawn',
  'removed',
])

/** A decoy as the agent sees it (stream `state`), sent at each change of phase, address, persona version or containers. */
export const decoyState = z.object({
  type: z.literal('decoy'),
  at: utc,
  decoy: id,
  revision: z.int().min(0),
  phase: decoyPhase,
  cidr: cidr4.optional(),
  ip: ipv4.optional(),
  mac: mac.optional(),
  persona: id.optional(),
  personaVersion: z.int().min(1).optional(),
  attempts: z.int().min(0),
  restarts: z.int().min(0),
  /** Releases of the plan that this was told under: one that is condemned under fewer is released already. */
  releases: z.int().min(0).optional(),
  /** First time its services answered since it was made. */
  readyAt: utc.optional(),
  reason: untrusted(512).optional(),
})

/** What became of a signed document. `accepted`: verified and persisted; `applied`: observed to be so. */
export const documentState = z.object({
  type: z.literal('document'),
  at: utc,
  document: z.enum(['plan', 'blocks']),
  revision: z.int().min(0),
  outcome: z.enum(['accepted', 'applied', 'rejected', 'refused']),
  /** Entries read back from the kernel, for `blocks`. */
  count: z.int().min(0).optional(),
  /**
   * Entries of `blocks` that are not in force: what this agent never blocks, and what is over by its clock. A list that
   * leaves out more than these can name shows it by its `count`.
   */
  refused: z.array(id).max(4096).optional(),
  expired: z.array(id).max(4096).optional(),
  code: z.string().max(64).optional(),
  reason: untrusted(512).optional(),
})

/** Something an administrator should know of: a conflict, an orphan removed, a corrupt file set aside. */
export const notice = z.object({
  type: z.literal('notice'),
  at: utc,
  level: z.enum(['info', 'warning', 'error']),
  code: z.string().max(64),
  message: untrusted(1024),
  data: z.record(z.string().max(64), z.unknown()).optional(),
})

/** Figures of the appliance's well-being (stream `health`). Percent, megabytes, degrees Celsius, milliseconds. */
export const health = z.object({
  type: z.literal('health'),
  at: utc,
  cpuPercent: z.number().optional(),
  memoryUsedPercent: z.number().optional(),
  temperatureC: z.number().optional(),
  diskUsedPercent: z.number().optional(),
  diskFreeMb: z.number().optional(),
  agentRssMb: z.number(),
  docker: z
    .object({ ok: z.boolean(), version: z.string().max(64).optional(), reason: untrusted(256).optional() })
    .optional(),
  clockOffsetMs: z.number().optional(),
  spoolMb: z.number(),
  /** Records waiting, by stream. */
  spoolDepth: z.record(z.string().max(32), z.int().min(0)),
  linkUpSince: utc.optional(),
  probes: z.record(z.string().max(32), z.object({ ok: z.boolean(), detail: untrusted(256) })),
})

/** First word after each connect (topic `hello`). */
export const hello = z.object({
  at: utc,
  agent: id,
  version: z.string().max(32),
  roles: z.array(z.enum(['decoys', 'enforcer'])).min(1),
  hostname: untrusted(253),
  hardware: hardware.optional(),
  /** `tpm`: its key opens by the TPM of its box alone. */
  keyHeldBy: z.enum(['tpm', 'file']).optional(),
  running: running.optional(),
  /** SHA-256 of its `agent.json`, whatever the order of its keys; that of `{}` where there is none. */
  config: sha256.optional(),
  planRevision: z.int().min(0),
  blocksRevision: z.int().min(0),
  /** By stream: the epoch and the next sequence number, so that the centre can answer with where it stands. */
  streams: z.record(z.string().max(32), z.object({ epoch: id, next: z.int().min(0) })),
})

/** Retained; `offline` is the last will. */
export const presence = z.object({ status: z.enum(['online', 'offline']), at: utc.optional() })

export type DecoyPhase = z.infer<typeof decoyPhase>
export type DecoyState = z.infer<typeof decoyState>
export type DocumentState = z.infer<typeof documentState>
export type Notice = z.infer<typeof notice>
export type Health = z.infer<typeof health>
export type Hello = z.infer<typeof hello>
export type Presence = z.infer<typeof presence>
