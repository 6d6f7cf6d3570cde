import type { DecoyEvent } from '../../shared/schemas/event.ts'
import type { Sql } from '../store/port.ts'

/** Who has taken a decoy over may write what he likes: one line counts for no more than this. */
const mostAtOnce = 10_000_000

/**
 * Of an event `events.lost`: events that a decoy had to drop before its agent could read them: they never had a number in the stream. They are lost all the
 * same, so they get a row of `losses` under the decoy's id in the place of an epoch, numbered from 0. Returns how many.
 */
export async function keepDecoyLoss(sql: Sql, agent: string, event: DecoyEvent, now: string): Promise<number> {
  const { lost, reason } = event.data ?? {}
  const count = typeof lost === 'number' && lost >= 1 ? Math.min(Math.floor(lost), mostAtOnce) : 1
  const held = await sql.get<{ last: number | null }>(
    "SELECT max(last) AS last FROM losses WHERE agent = ? AND stream = 'events' AND epoch = ?",
    agent,
    event.decoy,
  )
  const first = (held?.last ?? -1) + 1
  await sql.run(
    "INSERT INTO losses (agent, stream, epoch, first, last, reason, at) VALUES (?, 'events', ?, ?, ?, ?, ?)",
    agent,
    event.decoy,
    first,
    first + count - 1,
    reason === 'limit' ? 'limit' : 'disk-full',
    now,
  )
  return count
}
