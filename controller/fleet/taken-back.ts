import { isoNow } from '../../shared/clock.ts'
import type { WipeOrder } from '../../shared/schemas/enrolment.ts'
import type { Signed } from '../../shared/schemas/envelope.ts'
import { signDocument } from '../../shared/signing.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import type { Authority } from './authority.ts'
import { endedCertificate, type Peer } from './certificates.ts'
import { noteEvent } from './history.ts'
import { boxReplaced } from './replace.ts'

/** A box whose clock is days ahead shall still take it; said again, it does no harm. */
const lifeMs = 7 * 86_400_000
/** Why a certificate ended, and what the agent's history calls it. */
const takenBack = new Map([
  ['revoked', 'revoked'],
  ['replaced', boxReplaced],
])
const toldToWipe = 'told to wipe'

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
  const row = await sql.get<{ status: string }>('SELECT status FROM agents WHERE id = ?', agent)
  const why = row?.status === 'revoked' ? 'revoked' : (await endedCertificate(sql, serial))?.why
  const kind = takenBack.get(why ?? '')
  if (why === undefined || kind === undefined) return undefined
  const last = (of: string) =>
    sql.get<{ id: number; detail: string }>(
      'SELECT id, detail FROM agent_events WHERE agent = ? AND kind = ? ORDER BY id DESC LIMIT 1',
      agent,
      of,
    )
  const [cause, said] = [await last(kind), await last(toldToWipe)]
  // A box that asks without end is noted once.
  if (row && (said?.id ?? 0) <= (cause?.id ?? 0))
    await noteEvent(sql, { agent, at, kind: toldToWipe, detail: `the box with certificate ${serial}` })
  return (cause ? `${why}: ${cause.detail}` : why).slice(0, 256)
}
