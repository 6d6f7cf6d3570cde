import { isMade, roleOf } from '../../shared/mimicry-kinds.ts'
import { defaultShapes } from './default-shapes.ts'
import type { Pattern } from './patterns.ts'

/**
 * What a decoy's traffic is drawn from: the plan's patterns, or else what this agent saw, of kinds that can be made. A card
 * that hears broadcasts alone sees none of those. So where nobody saw names looked up, updates fetched, the time asked for or
 * hosts talking to each other, shapes of our own stand for it, each for itself. Pure.
 */
export function drawnFrom(told: readonly Pattern[], seen: readonly Pattern[]): Pattern[] {
  const [planned, heard] = [told, seen].map((some) => some.filter(({ kind }) => isMade(kind))) as [Pattern[], Pattern[]]
  const known = planned.length > 0 ? planned : heard
  const has = new Set(known.map(({ kind }) => roleOf(kind)))
  return [...known, ...defaultShapes.filter(({ kind }) => !has.has(roleOf(kind)))]
}
