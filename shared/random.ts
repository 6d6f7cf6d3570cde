import { randomBytes } from 'node:crypto'

/** Randomness as the parts take it: a number in [0, 1). */
export type Random = () => number

/** Unpredictable: for choices an attacker must not foresee. */
export const systemRandom: Random = () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48

/** Reproducible from `seed` (mulberry32 over an FNV-1a hash): for personas that must build again bit for bit. */
export function seededRandom(seed: string): Random {
  let state = 0x811c9dc5
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of `items`, each with the weight beside it. Throws on an empty list. */
export function pickWeighted<T>(random: Random, items: readonly (readonly [T, number])[]): T {
  const total = items.reduce((sum, [, weight]) => sum + weight, 0)
  let left = random() * total
  for (const [item, weight] of items) {
    left -= weight
    if (left < 0) return item
  }
  const last = items.at(-1)
  if (!last) throw new RangeError('nothing to choose from')
  return last[0]
}

export const pick = <T>(random: Random, items: readonly T[]): T =>
  pickWeighted(
    random,
    items.map((item) => [item, 1]),
  )
