import { driftMark, markMet } from '../../shared/drift-mark.ts'
import { type DecoyDrift, noDrift } from '../../shared/schemas/drift.ts'
import { numberOf } from './decode.ts'
import { untold } from './window-groups.ts'

/** A decoy feels another drift within a second of being told. */
const settlesMs = 2000

/**
 * Which drift is met by whom: everyone's, or that of a source's own view.
 *
 *   put(another drift) -> sources for whom it changes are untold -> [tick, when they feel it] -> told apart, by its mark
 */
export function makeMet(first: DecoyDrift | undefined) {
  let drift = first ?? noDrift
  let marks = marksOf(drift)
  /** Since when sources may meet this drift or the one before. */
  const changing = new Map<number, number>()

  return {
    /** Mark of everyone's. */
    mark: (): string => markMet(drift.everyone),
    /** Returns whether everyone's is another one. */
    put(next: DecoyDrift = noDrift, now: number): boolean {
      if (driftMark(next) === driftMark(drift)) return false
      const [before, after] = [marks, marksOf(next)]
      const [hadAll, haveAll] = [markMet(drift.everyone), markMet(next.everyone)]
      for (const source of new Set([...before.keys(), ...after.keys()]))
        if ((before.get(source) ?? hadAll) !== (after.get(source) ?? haveAll)) changing.set(source, now)
      drift = next
      marks = after
      return hadAll !== haveAll
    },
    /** A window ended. */
    tick(now: number): void {
      for (const [source, since] of changing) if (now - since >= settlesMs) changing.delete(source)
    },
    /** The group of a source's features; undefined: everyone's. */
    groupOf(source: number): string | undefined {
      if (changing.size > 0 && changing.has(source)) return untold
      return marks.get(source)
    },
  }
}

/** Of sources that meet another drift than everyone. */
function marksOf({ everyone, views }: DecoyDrift): Map<number, string> {
  const all = markMet(everyone)
  const own = views.map(({ source, drift }) => [numberOf(source), markMet(drift)] as const)
  return new Map(own.filter(([, mark]) => mark !== all))
}
