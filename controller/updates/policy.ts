import { z } from 'zod'
import { id } from '../../shared/schemas/common.ts'
import { tag } from '../fleet/index.ts'

/** A ring is who is named, or bears a tag, and then a share of the whole fleet: 10 brings all rings so far to a tenth of it. */
export const ring = z.strictObject({
  name: z.string().min(1).max(64),
  agents: z.array(id).max(10_000).default([]),
  tags: z.array(tag).max(64).default([]),
  percent: z.number().min(0).max(100).optional(),
})

/** How a release comes to the boxes. Minutes are of time in which the controller ran and watched. */
export const rolloutPolicy = z.strictObject({
  rings: z.array(ring).min(1).max(16),
  /** How long a ring stays well before the next begins. */
  gateMinutes: z.number().min(0).max(43_200).default(30),
  /** Percent of a ring's boxes that have to confirm, of those that are neither late nor broken; at least one box. */
  enough: z.number().min(1).max(100).default(100),
  /** Percent of a ring's boxes that may break; one more, and the rollout pauses. */
  tolerate: z.number().min(0).max(100).default(5),
  /** Boxes of a ring that install at the same time. Absent: so many that, should all of them break, at most one is too many. */
  atOnce: z.int().min(1).max(10_000).optional(),
  /** A box that is not there, or has not fetched, so long after its ring began is late: the ring goes on without it. */
  waitMinutes: z.number().min(0).max(43_200).default(60),
  /** A box of the open ring that confirmed and is not well for so long is broken. */
  unwellMinutes: z.number().min(0).max(1440).default(10),
  /** From the new version's start to a good report; else the box goes back by itself. */
  confirmMinutes: z.number().min(0.5).max(60).default(10),
  /** What one box may take from its line, bytes a second. */
  bytesPerSecond: z.int().min(1024).optional(),
  allowOlder: z.boolean().default(false),
})

export type Ring = z.infer<typeof ring>
export type RolloutPolicy = z.infer<typeof rolloutPolicy>

const minute = 60_000
/** What installing may take beyond the time to confirm: a system written to a slow card. */
const installMinutes = 30

export const gateMs = (policy: RolloutPolicy): number => policy.gateMinutes * minute
export const waitMs = (policy: RolloutPolicy): number => policy.waitMinutes * minute
export const unwellMs = (policy: RolloutPolicy): number => policy.unwellMinutes * minute
/** A box that was told to install and has told no outcome after so long is broken. */
export const lostMs = (policy: RolloutPolicy): number => (policy.confirmMinutes + installMinutes) * minute

/** How many of a ring of `size` boxes may break. */
export const mayBreak = (policy: RolloutPolicy, size: number): number => Math.floor((policy.tolerate / 100) * size)
