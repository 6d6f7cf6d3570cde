import type { MarshlightError } from '../../shared/errors.ts'
import type { EnrolmentFile } from '../../shared/schemas/enrolment-file.ts'
import { type KeptSite, textOfSite } from '../kept-site.ts'
import { type Changes, isEmpty } from './apply.ts'

/** A file on the card or a stick, read. */
export type SeenFile =
  | { kind: 'claim'; where: string; claimId: string; file: EnrolmentFile; site: KeptSite }
  /** What is left where a claim was used. `agent`: who used it; `site` may have been edited since. */
  | { kind: 'used'; where: string; agent: string; claimed: string; site?: KeptSite }
  | { kind: 'bad'; where: string; error: MarshlightError }

export type Seen = {
  files: readonly SeenFile[]
  /** Who this box is: an agent's id; undefined before it is claimed. */
  agent: string | undefined
  /** Who this box was before it was taken back. */
  wiped?: string | undefined
  /** The claim that this box began to use, kept before it asked. */
  begun: string | undefined
  /** A code that somebody typed before power went: the box goes on with it by itself. */
  typed?: { code: string; controller: string } | undefined
  kept: KeptSite | undefined
  /** What of the system differs from `kept`. */
  changes: Changes
}

export type Step =
  | { kind: 'keep'; site: KeptSite }
  | { kind: 'apply'; changes: Changes }
  | { kind: 'begin'; claimId: string }
  | { kind: 'claim'; claimId: string; claim: string; controller: string }
  | { kind: 'claim-typed'; code: string; controller: string }
  | { kind: 'erase'; where: string; file: EnrolmentFile }
  | { kind: 'wait'; trouble?: MarshlightError; used?: string }
  | { kind: 'done' }

/**
 * The one next step; after it all is observed anew, so that power may go at any point.
 *
 *   keep settings -> apply them -> begin (keep which claim) -> claim -> erase it from every file -> done
 *
 * A box that belongs to somebody takes settings only from its own used file: another file's claim is for another box.
 */
export function plan({ files, agent, wiped, begun, typed, kept, changes }: Seen): Step {
  const claims = files.filter((one) => one.kind === 'claim')
  const notes = files.filter((one) => one.kind === 'used')
  const [offered] = claims
  const used = agent === undefined ? undefined : claims.find(({ claimId }) => claimId === begun)
  const own = notes.find((one) => one.agent === agent && one.site !== undefined)
  const site = (agent === undefined ? offered : (used ?? own))?.site
  if (site && (!kept || textOfSite(site) !== textOfSite(kept))) return { kind: 'keep', site }
  if (!isEmpty(changes)) return { kind: 'apply', changes }
  if (used) return { kind: 'erase', where: used.where, file: used.file }
  if (agent !== undefined) return { kind: 'done' }
  if (offered) {
    const { claimId, file } = offered
    return begun === claimId
      ? { kind: 'claim', claimId, claim: file.claim, controller: file.controller }
      : { kind: 'begin', claimId }
  }
  if (typed) return { kind: 'claim-typed', ...typed }
  const bad = files.find((one) => one.kind === 'bad')
  if (bad?.kind === 'bad') return { kind: 'wait', trouble: bad.error }
  // Its own file of before it was taken back lies there as ever: that it was used is no news.
  const note = notes.find((one) => wiped === undefined || one.agent !== wiped)
  return note ? { kind: 'wait', used: note.claimed } : { kind: 'wait' }
}
