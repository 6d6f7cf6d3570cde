import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { type Hardware, hardware } from '../../shared/schemas/hardware.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { openClaim, type Place, type Shown } from './claims.ts'

/** A box that showed a good claim and waits until an administrator lets it in. What it says of itself is its own word. */
export type WaitingBox = {
  id: string
  segment: string
  /** The name it will have, where the claim has one; that of the agent it replaces. */
  name: string | null
  askedAt: string
  source: string
  hostname: string
  hardware: Hardware | null
}
type Asking = { token: Shown; hostname: string; hardware?: Hardware | undefined }

/**
 * Where the policy says so, a claim is used only by the key that asked first, and after somebody approved it:
 *
 *   good claim -> asked -- approve --> as if it came now        asked -- reject --> TOKEN_REJECTED, for good
 *
 * Throws WAITS_FOR_APPROVAL, TOKEN_REJECTED, TOKEN_USED for another key, and what an unusable claim throws.
 */
export async function requireApproval(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  asking: Asking,
  csrHash: string,
  place: Place,
): Promise<void> {
  const refusal = await store.tx(async (sql) => {
    const claim = await openClaim(sql, asking.token, csrHash, clock.now(), place)
    const { id } = claim
    if (claim.usedAt !== null) return undefined
    if (claim.askedBy === null) {
      const source = place.source ?? ''
      const said = JSON.stringify({ source, hostname: asking.hostname, hardware: asking.hardware ?? null })
      await sql.run(
        'UPDATE claims SET asked_at = ?, asked_by = ?, asked = ? WHERE id = ?',
        isoNow(clock),
        csrHash,
        said,
        id,
      )
    } else if (claim.askedBy !== csrHash) return new MarshlightError('TOKEN_USED', { id })
    if (claim.decision === 'approved') return undefined
    return new MarshlightError('WAITS_FOR_APPROVAL', { id })
  })
  if (refusal) throw refusal
}

export async function waitingBoxes(sql: Sql): Promise<WaitingBox[]> {
  const rows = await sql.all<{ id: string; segment: string; name: string | null; asked_at: string; asked: string }>(
    `SELECT c.id, s.name AS segment, COALESCE(a.name, c.name) AS name, c.asked_at, c.asked FROM claims c
     JOIN segments s ON s.id = c.segment LEFT JOIN agents a ON a.id = c.replaces
     WHERE c.asked_at IS NOT NULL AND c.decision IS NULL AND c.used_at IS NULL ORDER BY c.asked_at`,
  )
  return rows.map(({ asked_at: askedAt, asked, ...row }) => {
    const said = JSON.parse(asked) as { source: string; hostname: string; hardware: unknown }
    return { ...row, askedAt, ...said, hardware: said.hardware === null ? null : hardware.parse(said.hardware) }
  })
}

/** Lets a waiting box in, or never: `what` is the start or end of its claim's id, or its host name. Throws NOT_FOUND, AMBIGUOUS. */
export async function findWaiting(sql: Sql, what: string): Promise<WaitingBox> {
  const found = (await waitingBoxes(sql)).filter(
    ({ id, hostname }) =>
      hostname === what || id === what || (what.length >= 4 && (id.startsWith(what) || id.endsWith(what))),
  )
  const [only] = found
  const kind = 'waiting box'
  if (!only) throw new MarshlightError('NOT_FOUND', { kind, value: what, command: 'marshlight agents waiting' })
  if (found.length > 1)
    throw new MarshlightError('AMBIGUOUS', { kind, value: what, matches: found.map(({ id }) => id).join(', ') })
  return only
}

export const decide = (sql: Sql, claim: string, decision: 'approved' | 'rejected', now: string) =>
  sql.run('UPDATE claims SET decision = ?, decided_at = ? WHERE id = ? AND decision IS NULL', decision, now, claim)
