import { z } from 'zod'

const hash = z.string().regex(/^[0-9a-f]{32}$/)

/** Which box it is, whatever card is in it; hashes, so that no serial number leaves it. */
export const hardware = z.object({ board: hash.optional(), macs: z.array(hash).max(16) })
export type Hardware = z.infer<typeof hardware>

/**
 * Whether the two are the same box: by the board where both know it, else by a network card that both have. Undefined
 * where they have nothing to compare.
 */
export function sameBox(a: Hardware, b: Hardware): boolean | undefined {
  if (a.board !== undefined && b.board !== undefined) return a.board === b.board
  if (a.macs.length === 0 || b.macs.length === 0) return undefined
  return a.macs.some((mac) => b.macs.includes(mac))
}

/** A few characters by which people tell boxes apart. */
export const shortHardware = ({ board, macs }: Hardware): string =>
  board ? `board ${board.slice(0, 8)}` : macs[0] ? `card ${macs[0].slice(0, 8)}` : 'unknown hardware'
