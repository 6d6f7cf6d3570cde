import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import { id, untrusted } from '../../shared/schemas/common.ts'
import { releasePart, releaseVersion, updatePhase } from '../../shared/schemas/update.ts'
import type { Disk } from './disk.ts'

/**
 * What is kept of updates, in one file.
 *
 *   none -> fetching -> fetched -> installing -> trial -> none, and the rollout is among the settled
 *             any of these but trial -> none (refused, failed, or the plan no longer names it)
 *
 * Invariant: a rollout that is settled is never begun again. Which version of the agent starts is the launcher's files'
 * to say (launcher-files.ts); what stands here follows them.
 */
const heldPart = releasePart.extend({
  stage: z.enum(['wanted', 'fetched', 'installed']),
  /** It came whole and was not what was signed, once already. */
  again: z.boolean(),
})

/** What was well before the trial: it has to be so again. */
const before = z.object({
  link: z.boolean(),
  decoys: z.array(id).max(512),
  rooms: z.array(z.string().max(32)).max(64),
})

const images = z.partialRecord(z.enum(['pod', 'cowrie', 'services', 'web']), z.string().min(1).max(256))

const current = z.object({
  rollout: id,
  version: releaseVersion,
  sequence: z.int().min(1),
  source: z.enum(['plan', 'offline']),
  phase: z.enum(['fetching', 'fetched', 'installing', 'trial']),
  parts: z.array(heldPart).max(3),
  confirmWithinSeconds: z.int().min(30).max(3600),
  /** Of what the present phase does; each is bounded. */
  attempts: z.int().min(0),
  /** Tags of the decoys' images that came, once they are in the engine. */
  images: images.optional(),
  /** What the tags in use meant before the archive was loaded, which may bear the same. */
  tagsBefore: z.record(z.string().max(256), z.string().max(256)).optional(),
  /** The slot that the system was written to. */
  slot: z.enum(['A', 'B']).optional(),
  before: before.optional(),
  /** What the version on trial last lacked, in words. */
  missing: untrusted(512).optional(),
})

const settled = z.object({
  rollout: id,
  version: releaseVersion,
  phase: updatePhase,
  code: z.string().max(64).optional(),
  reason: untrusted(512).optional(),
})

export const heldUpdates = z.object({
  v: z.literal(1),
  /** Sequence of the newest release that was confirmed here. */
  highest: z.int().min(0),
  /** Images of decoys that an update brought, and those before them. */
  decoys: z.object({ version: releaseVersion, images }).optional(),
  decoysBefore: z.object({ version: releaseVersion, images }).optional(),
  /** Tags of images that nothing needs any more. */
  unwanted: z.array(z.string().max(256)).max(64).default([]),
  current: current.optional(),
  settled: z.array(settled).max(32),
})

export type Held = z.infer<typeof heldUpdates>
export type Current = z.infer<typeof current>
export type HeldPart = z.infer<typeof heldPart>
export type Before = z.infer<typeof before>
export type Images = z.infer<typeof images>
export type Settled = z.infer<typeof settled>

export const nothingHeld: Held = { v: 1, highest: 0, unwanted: [], settled: [] }
export const updatesFolder = (stateDir: string) => join(stateDir, 'updates')
export const heldPath = (stateDir: string) => join(updatesFolder(stateDir), 'held.json')

export type LoadedHeld = { held: Held; damaged?: MarshlightError }

/** What is held; what cannot be read is set aside and told, and the box goes on with what the launcher has. */
export async function loadHeld(stateDir: string, clock: Clock): Promise<LoadedHeld> {
  const path = heldPath(stateDir)
  try {
    const text = await readIfThere(path)
    return { held: text === undefined ? nothingHeld : heldUpdates.parse(JSON.parse(text)) }
  } catch (error) {
    const aside = `${path}.corrupt-${clock.now()}`
    await rename(path, aside).catch(() => undefined)
    return {
      held: nothingHeld,
      damaged: new MarshlightError('STATE_CORRUPT', { path, aside, why: wordsOf(error).slice(0, 200) }),
    }
  }
}

/** What is held, for one who only looks; undefined where there is nothing that can be read. */
export async function readHeld(stateDir: string): Promise<Held | undefined> {
  const text = await readIfThere(heldPath(stateDir)).catch(() => undefined)
  try {
    return text === undefined ? undefined : heldUpdates.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export const saveHeld = (disk: Disk, stateDir: string, held: Held): Promise<void> =>
  disk.write(heldPath(stateDir), `${JSON.stringify(heldUpdates.parse(held), null, 2)}\n`)

/** The rollout is over: it is kept among the last that are. */
export const settle = (held: Held, over: Settled): Held => ({
  ...withoutCurrent(held),
  settled: [...held.settled.filter(({ rollout }) => rollout !== over.rollout), over].slice(-32),
})

export function withoutCurrent({ current: _, ...rest }: Held): Held {
  return rest
}
