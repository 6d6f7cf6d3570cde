import { hash } from 'node:crypto'
import type { Segment } from '../capture/decode.ts'

/** Two cards of one machine hear the same packet within less; nobody says the same again so soon. */
const sameMs = 50
/** One card's packets may come to us so much later than the other's. */
const keptMs = 10_000
const most = 4096

/**
 * Tells a datagram that two cards hear, as a broadcast is heard at the own card and at a mirror port, from one that is said
 * twice: what one card hears twice was said twice. Connections need no such care, their bytes have numbers.
 */
export function makeHeardTwice() {
  const heard = new Map<string, { at: number; cards: Set<string> }[]>()

  /** Whether another card had it already. */
  return ({ source, sourcePort, target, targetPort, payload }: Segment, at: number, card: string): boolean => {
    const key = `${source} ${sourcePort} ${target} ${targetPort} ${hash('sha1', payload, 'base64')}`
    const before = (heard.get(key) ?? []).filter((one) => Math.abs(at - one.at) < keptMs)
    const same = before.find((one) => Math.abs(at - one.at) < sameMs && !one.cards.has(card))
    same?.cards.add(card)
    heard.delete(key)
    heard.set(key, same ? before : [...before, { at, cards: new Set([card]) }])
    const [oldest] = heard.keys()
    if (heard.size > most && oldest !== undefined) heard.delete(oldest)
    return same !== undefined
  }
}
