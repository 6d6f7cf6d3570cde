import { createHash } from 'node:crypto'
import type { DecoyDrift, Drift } from './schemas/drift.ts'

/** Names what one source meets: everyone's drift, or that of its own view. */
export const markMet = (drift: Drift | null): string => driftMark({ everyone: drift, views: [] })

/** Names a drift in force: the same settings have the same mark, and no drift at all has `none`. 16 hexadecimal digits. */
export function driftMark(drift: DecoyDrift | undefined): string {
  if (!drift || (drift.everyone === null && drift.views.length === 0)) return 'none'
  return createHash('sha256')
    .update(JSON.stringify([drift.everyone, drift.views]))
    .digest('hex')
    .slice(0, 16)
}
