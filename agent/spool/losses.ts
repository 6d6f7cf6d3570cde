import type { Loss } from '../../shared/schemas/envelope.ts'

/** Losses as a list sorted by number, not overlapping; neighbours with one reason are one loss. Pure functions. */
export type Losses = readonly Loss[]

/** `losses` and those numbers of `loss` that no other names yet. */
export function addLoss(losses: Losses, loss: Loss): Losses {
  const added: Loss[] = []
  let from = loss.from
  for (const held of losses) {
    if (held.to < from) continue
    if (held.from > loss.to) break
    if (held.from > from) added.push({ ...loss, from, to: held.from - 1 })
    from = held.to + 1
  }
  if (from <= loss.to) added.push({ ...loss, from })
  return merge([...losses, ...added].sort((a, b) => a.from - b.from))
}

/** What is left to tell when everything below `next` is acknowledged. */
export const lossesFrom = (losses: Losses, next: number): Losses =>
  losses.filter((loss) => loss.to >= next).map((loss) => (loss.from < next ? { ...loss, from: next } : loss))

/** The part of the losses below number `end`. */
export const lossesBelow = (losses: Losses, end: number): Losses =>
  (losses.at(-1)?.to ?? -1) < end
    ? losses
    : losses.filter((loss) => loss.from < end).map((loss) => ({ ...loss, to: Math.min(loss.to, end - 1) }))

/** The unbroken run of losses that begins at `from`: what precedes the next record. At most `limit` of them. */
export function lossesAt(losses: Losses, from: number, limit = 500): Loss[] {
  const run: Loss[] = []
  let next = from
  for (const loss of losses) {
    if (loss.to < next) continue
    if (loss.from > next || run.length === limit) break
    run.push({ ...loss, from: next })
    next = loss.to + 1
  }
  return run
}

export const nextLossAfter = (losses: Losses, from: number): number =>
  losses.find((loss) => loss.from >= from)?.from ?? Number.POSITIVE_INFINITY

/** Numbers from `from` up to, without, `to` that neither `ranges` ([first, end), sorted) nor `losses` name. */
export function gapsBetween(
  from: number,
  to: number,
  ranges: readonly (readonly [number, number])[],
  losses: Losses,
): [number, number][] {
  const known = [
    ...ranges.map(([first, end]) => [first, end] as const),
    ...losses.map((l) => [l.from, l.to + 1] as const),
  ].sort((a, b) => a[0] - b[0])
  const gaps: [number, number][] = []
  let next = from
  for (const [first, end] of known) {
    if (first > next && next < to) gaps.push([next, Math.min(first, to)])
    next = Math.max(next, end)
  }
  if (next < to) gaps.push([next, to])
  return gaps
}

function merge(sorted: readonly Loss[]): Loss[] {
  const merged: Loss[] = []
  for (const loss of sorted) {
    const last = merged.at(-1)
    if (last && last.reason === loss.reason && last.to + 1 === loss.from) last.to = loss.to
    else merged.push({ ...loss })
  }
  return merged
}
