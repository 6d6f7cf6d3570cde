import { createHash } from 'node:crypto'
import type { Ring } from './policy.ts'

type Candidate = { id: string; tags: readonly string[] }

/**
 * Which ring each box is in: first who is named or bears a ring's tag, in the order of rings; then shares, each of the whole
 * fleet, filled by an order that the rollout's and the boxes' ids draw: the same for the same ids, another for another
 * rollout. Who is in no ring stays as it is, and is not in the map.
 */
export function drawRings(rollout: string, rings: readonly Ring[], boxes: readonly Candidate[]): Map<string, number> {
  const drawn = new Map<string, number>()
  for (const [i, { agents, tags }] of rings.entries())
    for (const box of boxes)
      if (!drawn.has(box.id) && (agents.includes(box.id) || box.tags.some((tag) => tags.includes(tag))))
        drawn.set(box.id, i)
  const rest = boxes
    .filter(({ id }) => !drawn.has(id))
    .map(({ id }) => ({ id, place: placeOf(rollout, id) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
  for (const [i, { percent = 0 }] of rings.entries()) {
    const sofar = [...drawn.values()].filter((ring) => ring <= i).length
    const missing = Math.max(0, Math.ceil((percent / 100) * boxes.length) - sofar)
    for (const { id } of rest.splice(0, missing)) drawn.set(id, i)
  }
  return drawn
}

/** Who enrols while a rollout runs joins its last ring, where that is for everybody. */
export const ringForNew = (rings: readonly Ring[]): number | undefined =>
  rings.at(-1)?.percent === 100 ? rings.length - 1 : undefined

const placeOf = (rollout: string, agent: string): string =>
  createHash('sha256').update(`${rollout} ${agent}`).digest('hex')
