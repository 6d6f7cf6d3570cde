import { z } from 'zod'
import { id, utc } from './common.ts'

/**
 * Streams of records, most valuable first. A full disk drops from the end of this list upward. What records a stream carries
 * stands in `records.ts`, which who only sends does not load: schemas take memory.
 */
export const streamNames = ['state', 'events', 'files', 'inventory', 'health', 'features'] as const
export type StreamName = (typeof streamNames)[number]
export type { StreamRecord } from './records.ts'

/** Records that were dropped before they could be sent: numbers `from` to `to`, both included. */
export const loss = z.object({
  from: z.int().min(0),
  to: z.int().min(0),
  reason: z.enum(['disk-full', 'limit', 'corrupt']),
})

/**
 * First line of a batch (topic `up/<stream>`); the records follow, one JSON document a line. Record i has number
 * `first + i`. Numbers run without gaps within an epoch; whatever is missing is named in `losses`, exactly.
 * A batch may have no records and only tell losses.
 */
export const batchHead = z.object({
  v: z.literal(1),
  epoch: id,
  first: z.int().min(0),
  count: z.int().min(0).max(10000),
  losses: z.array(loss).max(1000),
})

/**
 * Cumulative acknowledgement (topic `ack`): everything of this stream and epoch below `next` is committed. `at`: when it
 * was sent, by the controller's clock; agents compare theirs.
 */
export const acknowledgement = z.object({
  stream: z.enum(streamNames),
  epoch: id,
  next: z.int().min(0),
  at: utc.optional(),
})

/** Body and its signature. The signature is over the exact bytes of `body` (UTF-8), Ed25519. */
export const signed = z.object({ v: z.literal(1), body: z.string().max(8_000_000), sig: z.base64().max(128) })

export type Loss = z.infer<typeof loss>
export type BatchHead = z.infer<typeof batchHead>
export type Acknowledgement = z.infer<typeof acknowledgement>
export type Signed = z.infer<typeof signed>
