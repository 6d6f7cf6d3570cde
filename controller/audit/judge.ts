export type Judged =
  | { do: 'keep' }
  /** Fresh and too easily told apart: the version before, which was good enough, comes back. */
  | { do: 'roll-back'; to: number }
  | { do: 'refuse' }
  /** It was good enough once: a person decides. */
  | { do: 'tell' }

/** Less could be compared than would carry a judgement. */
const leastWeight = 40

/**
 * What follows from a score. `fresh`: it is the first of this version. `good`: an earlier version that passed. `unsafe`: it
 * could do what no decoy may, so it goes, however real it looks and whatever it was before: no version of a persona changes
 * what can leave a pod. Pure.
 */
export function judge(
  audit: { score: number; weight: number; fresh: boolean; good?: number | undefined; unsafe?: boolean },
  limit: number,
): Judged {
  if (audit.unsafe) return { do: 'refuse' }
  if (audit.score >= limit || audit.weight < leastWeight) return { do: 'keep' }
  if (!audit.fresh) return { do: 'tell' }
  return audit.good === undefined ? { do: 'refuse' } : { do: 'roll-back', to: audit.good }
}
