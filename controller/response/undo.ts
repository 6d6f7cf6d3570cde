import { z } from 'zod'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent } from '../work/port.ts'
import { type Decision, endDecision } from './decisions.ts'

/** What is kept of a change of decoys, as far as it takes to undo it. */
const outcome = z.object({
  decoy: z.string(),
  hostname: z.string(),
  made: z.object({ version: z.int(), before: z.int() }).optional(),
})
type Change = z.infer<typeof outcome>
type Undone = { what: string; agent: string }

/** Takes a change of decoys back; undefined where nothing is left of it. Throws CONFLICT where it cannot. */
export type UndoPorts = Record<
  'deploy' | 'reconfigure',
  (sql: Sql, was: Change, reason: string, by: 'admin' | 'response') => Promise<Undone | undefined>
>
export type Ended = { what: string; events: BusEvent[] }

/**
 * Ends a decision before its time or at it, in the caller's transaction: a block leaves the lists, a deployed decoy leaves,
 * a reconfigured one shows what it showed before. Throws CONFLICT where that cannot be: then the decision stands.
 */
export async function undoDecision(
  sql: Sql,
  { ports, clock }: { ports: UndoPorts; clock: Clock },
  decision: Decision,
  how: { status: 'expired' | 'undone'; why: string; by: 'admin' | 'response' },
): Promise<Ended> {
  const { id, kind, status } = decision
  if (status !== 'active' && status !== 'proposed') return { what: `it was ${status} already`, events: [] }
  const end = () => endDecision(sql, id, { status: how.status, at: isoNow(clock), why: how.why })
  if (kind === 'block') {
    await end()
    const what = status === 'active' ? 'it leaves the lists of all appliances' : 'the proposal is taken back'
    return { what, events: [{ name: 'blocks-changed' }] }
  }
  const reason = `the decision ${id} is ${how.status}: ${how.why}`
  const undone = await ports[kind](sql, changeOf(decision), reason, how.by)
  await end()
  return undone
    ? { what: undone.what, events: [{ name: 'plan-changed', agents: [undone.agent] }] }
    : { what: 'nothing was left of it', events: [] }
}

function changeOf({ kind, target, outcome: text }: Decision): Change {
  const parsed = outcome.safeParse(jsonOrUndefined(text))
  if (parsed.success) return parsed.data
  throw new MarshlightError('CONFLICT', {
    what: `what this ${kind} did was not kept`,
    next:
      kind === 'deploy'
        ? 'Find the decoy with `marshlight decoys ls`, and retire it with `marshlight decoys retire`.'
        : `See \`marshlight decoys show ${target}\` and \`marshlight personas rollback\`.`,
  })
}

function jsonOrUndefined(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** Deployments and reconfigurations whose time is over are taken back; what cannot be is let be, and says why. */
export async function expireChanges(sql: Sql, deps: { ports: UndoPorts; clock: Clock }): Promise<BusEvent[]> {
  const now = isoNow(deps.clock)
  const due = await sql.all<Decision>(
    `SELECT * FROM decisions WHERE kind <> 'block' AND status = 'active' AND expires_at <= ? ORDER BY id`,
    now,
  )
  const events: BusEvent[] = []
  for (const decision of due) {
    await sql.run('SAVEPOINT expiry')
    try {
      const how = { status: 'expired', why: 'its time was over', by: 'response' } as const
      events.push(...(await undoDecision(sql, deps, decision, how)).events)
    } catch (error) {
      if (!(error instanceof MarshlightError)) throw error
      await sql.run('ROLLBACK TO expiry')
      await endDecision(sql, decision.id, { status: 'expired', at: now, why: `its time was over; ${error.message}` })
    }
    await sql.run('RELEASE expiry')
  }
  return events
}
