import { createHash } from 'node:crypto'
import { numberToIp } from '../../shared/network.ts'

export const linkLocal = '169.254.0.0/16'
/**
 * The first that any card tries: a person without a screen can be told it beforehand. It lets nobody find a box who would
 * not find it without: whoever is on the line may ask it for each of them.
 */
export const firstCandidate = '169.254.77.1'
/** RFC 3927, 2.1: 169.254.1.0 to 169.254.254.255; the first and the last 256 are kept free. */
const [first, count] = [(169 << 24) + (254 << 16) + 256, 254 * 256]

/** The `n`th address that a card tries: after the first, drawn from its MAC, so that it is the same one at each start. */
export function candidate(mac: string, n: number): string {
  if (n === 0) return firstCandidate
  const drawn = createHash('sha256').update(`marshlight page ${mac.toLowerCase()} ${n}`).digest().readUInt32BE(0)
  return numberToIp((first >>> 0) + (drawn % count))
}

/** After so many that others have, RFC 3927 has a host slow down; a page can be done without. */
export const mostCandidates = 10
