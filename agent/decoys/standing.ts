import type { DesiredDecoy, Plan } from '../../shared/schemas/desired-state.ts'
import type { DecoyPhase, DecoyState, DocumentState } from '../../shared/schemas/state.ts'
import { answers, type CurrentDecoy, hasContainers, nothingSeen, playing, statusIsFresh } from './current.ts'
import { type Entry, isHeldDown } from './entry.ts'

/** How things stand, in the words of the contract. Pure. */

export function phaseOf(entry: Entry, seen: CurrentDecoy, busy: boolean): DecoyPhase {
  if (entry.gone && !hasContainers(seen)) return 'removed'
  if (entry.condemned) return 'condemned'
  if (entry.withdrawn) return 'withdrawn'
  if (entry.rejected) return 'rejected'
  // One that is about to move still answers, but not where it shall.
  if (answers(seen) && seen.pod?.ip === entry.ip && seen.pod.mac === entry.mac) return 'ready'
  if (entry.reason !== undefined) return 'failing'
  return busy || hasContainers(seen) ? 'creating' : 'waiting'
}

export function stateOf(entry: Entry, seen: CurrentDecoy, busy: boolean, at: string): DecoyState {
  const told = playing(seen)
  const versions = told.map((one) => (one && statusIsFresh(one) ? one.status?.personaVersion : undefined))
  // While one of its services still plays the version before, that is what a neighbour may meet.
  const inForce =
    versions.includes(undefined) || versions.length === 0 ? undefined : Math.min(...(versions as number[]))
  const reason = entry.reason ?? told.find((one) => one?.status?.error !== undefined)?.status?.error
  return {
    type: 'decoy',
    at,
    decoy: entry.decoy,
    revision: entry.revision,
    phase: phaseOf(entry, seen, busy),
    cidr: entry.cidr,
    ip: entry.ip,
    mac: entry.mac,
    persona: entry.persona,
    ...(inForce !== undefined && { personaVersion: inForce }),
    attempts: entry.attempts,
    restarts: entry.restarts,
    ...(entry.releases > 0 && { releases: entry.releases }),
    ...(entry.readyAt !== undefined && { readyAt: entry.readyAt }),
    ...(reason !== undefined && { reason }),
  }
}

/** Whether two states say the same but for their time and the revision they were told under. */
export const sameState = (a: DecoyState, b: DecoyState): boolean =>
  JSON.stringify({ ...a, at: '', revision: 0 }) === JSON.stringify({ ...b, at: '', revision: 0 })

/** Whether the decoy plays what the plan of `revision` says. */
export function isInForce(desired: DesiredDecoy, revision: number, seen: CurrentDecoy): boolean {
  return (
    answers(seen) &&
    playing(seen).every(
      (one) =>
        one?.status?.personaId === desired.persona &&
        one.status.personaVersion === desired.personaVersion &&
        one.status.revision === revision,
    )
  )
}

/**
 * What became of the plan, or undefined while there is still something to come: `applied` when every decoy is as it
 * shall be, `rejected` when the rest is and some could not be brought about.
 */
export function outcomeOf(
  plan: Plan,
  entries: ReadonlyMap<string, Entry>,
  decoys: ReadonlyMap<string, CurrentDecoy>,
  at: string,
): DocumentState | undefined {
  const failures: string[] = []
  for (const desired of plan.decoys) {
    const entry = entries.get(desired.id)
    // Held down by the plan itself is as it shall be.
    if (entry?.condemned && desired.condemned) continue
    if (entry && isHeldDown(entry)) failures.push(`${desired.hostname} (${desired.ip}): ${entry.reason ?? ''}`)
    else if (!isInForce(desired, plan.revision, decoys.get(desired.id) ?? nothingSeen)) return undefined
  }
  for (const [id, entry] of entries) if (entry.gone && hasContainers(decoys.get(id))) return undefined
  const head = { type: 'document', at, document: 'plan', revision: plan.revision } as const
  if (failures.length === 0) return { ...head, outcome: 'applied', count: plan.decoys.length }
  const count = plan.decoys.length - failures.length
  return { ...head, outcome: 'rejected', count, reason: failures.join('; ').slice(0, 512) }
}
