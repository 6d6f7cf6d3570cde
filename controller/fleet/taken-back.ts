import { isoNow } from '../../shared/clock.ts'
import type { WipeOrder } from '../../shared/schemas/enrolment.ts'
import type { Signed } from '../../shared/schemas/envelope.ts'
import { signDocument } from '../../shared/signing.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import type { Authority } from './authority.ts'
import { endedCertificate, type Peer } from './certificates.ts'
import { noteEvent } from './history.ts'

/** A box whose clock is days ahead shall still take it; said again, it does no harm. */
const lifeMs = 7 * 86_400_000
const takenBack = new Set(['revoked', 'replaced'])

/**
 * The signed order to wipe for the box that shows this certificate, if it was taken back. Only what is known to be
 * revoked or replaced: an agent that this database lacks may have enrolled after the backup it was restored from.
 */
export async function orderFor(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  authority: Pick<Authority, 'signingKey'>,
  peer: Peer,
): Promise<Signed | undefined> {
  const reason = await store.tx((sql) => reasonFor(sql, peer, isoNow(clock)))
  if (reason === undefined) return undefined
  const order: WipeOrder = {
    kind: 'wipe',
    ...peer,
    issuedAt: isoNow(clock),
    expiresAt: new Date(clock.now() + lifeMs).toISOString(),
    reason,
  }
  return signDocument(order, authority.signingKey)
}

async function reasonFor(sql: Sql, { agent, serial }: Peer, at: string): Promise<string | undefined> {
  const ended = await endedCertificate(sql, serial)
  const row = await sql.get<{ status: string }>('SELECT status FROM agents WHERE id = ?', agent)
  if (row?.status !== 'revoked' && !(ended && takenBack.has(ended.why))) return undefined
  const last = await sql.get<{ kind: string; detail: string }>(
    "SELECT kind, detail FROM agent_events WHERE agent = ? AND kind IN ('revoked', 'replaced', 'told to wipe') ORDER BY id DESC LIMIT 1",
    agent,
  )
  const why = row?.status === 'revoked' ? 'revoked' : (ended?.why ?? 'revoked')
  if (last?.kind !== 'told to wipe' && row)
    await noteEvent(sql, { agent, at, kind: 'told to wipe', detail: `the box with certificate ${serial}: ${why}` })
  const detail = await sql.get<{ detail: string }>(
    'SELECT detail FROM agent_events WHERE agent = ? AND kind = ? ORDER BY id DESC LIMIT 1',
    agent,
    why,
  )
  return detail ? `${why}: ${detail.detail}`.slice(0, 256) : why
}
