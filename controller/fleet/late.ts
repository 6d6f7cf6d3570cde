import { createHash } from 'node:crypto'
import { isoNow } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { type Hardware, hardware, sameBox } from '../../shared/schemas/hardware.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { givenTo, isPresent, type Peer } from './certificates.ts'
import { noteEvent } from './history.ts'

const dayMs = 86_400_000

/** A box that asks for its next certificate by one that has ended. */
export type LateBox = {
  peer: Peer
  /** When its certificate ended, milliseconds since 1970. */
  endedAt: number
  csr: string
  source: string
  hardware?: Hardware | undefined
  hostname?: string | undefined
}
export type LateVerdict =
  | { let: true }
  | { let: false; code: 'CERTIFICATE_REFUSED'; why: string; otherBox?: Hardware }
  | Waits
type Waits = { let: false; code: 'WAITS_FOR_APPROVAL'; claim: string }

/**
 * Whether a box that was without power past its certificate's end may have the next one:
 *
 *   the present certificate of an agent that is enrolled, and ended by its date alone
 *     -> within `enrolment.lateDays` -> of the box the agent is bound to -> (approved, where the policy says so) -> yes
 *
 * A box that has nothing to be known by waits for approval whatever the policy. It waits as a claim that no secret opens.
 */
export async function lateVerdict(
  { store, clock, config }: Pick<Deps, 'store' | 'clock' | 'config'>,
  box: LateBox,
): Promise<LateVerdict> {
  const { peer, endedAt } = box
  const { lateDays, approval } = config.enrolment
  const refuse = (why: string, otherBox?: Hardware): LateVerdict => ({
    let: false,
    code: 'CERTIFICATE_REFUSED',
    why: `it ended at ${new Date(endedAt).toISOString()}, and ${why}`,
    ...(otherBox && { otherBox }),
  })
  return store.tx(async (sql) => {
    const isGiven = async () =>
      (await givenTo(sql, peer.agent))?.serial === peer.serial && (await isEnrolled(sql, peer.agent))
    if (!(await isPresent(sql, peer)) && !(await isGiven())) return refuse('is not the last one of an agent')
    if (clock.now() - endedAt > lateDays * dayMs) return refuse(`that is more than ${lateDays} days ago`)
    const row = await sql.get<{ body: string }>('SELECT body FROM agent_hardware WHERE agent = ?', peer.agent)
    const bound = row && hardware.parse(JSON.parse(row.body))
    const same = bound && box.hardware ? sameBox(bound, box.hardware) : undefined
    if (same === false) return refuse('is of another box', box.hardware)
    const waits =
      approval === 'manual' || same === undefined ? await askApproval(sql, box, isoNow(clock), lateDays) : undefined
    if (waits) return waits
    await noteEvent(sql, {
      agent: peer.agent,
      at: isoNow(clock),
      kind: 'came back late',
      detail: `from ${box.source}, its certificate had ended at ${new Date(endedAt).toISOString()}`,
    })
    return { let: true }
  })
}

const isEnrolled = async (sql: Sql, agent: string): Promise<boolean> =>
  (await sql.get("SELECT 1 AS ok FROM agents WHERE id = ? AND status = 'enrolled'", agent)) !== undefined

/** Undefined once it was approved: for the key that asked, and this certificate. */
async function askApproval(sql: Sql, box: LateBox, at: string, days: number): Promise<LateVerdict | undefined> {
  const { peer, source } = box
  const askedBy = createHash('sha256').update(box.csr).digest('hex')
  const row = await sql.get<{ id: string; asked_by: string; decision: string | null }>(
    'SELECT id, asked_by, decision FROM claims WHERE late_serial = ? ORDER BY made_at DESC, id DESC LIMIT 1',
    peer.serial,
  )
  if (row?.decision === 'rejected')
    return {
      let: false,
      code: 'CERTIFICATE_REFUSED',
      why: 'an administrator rejected the box that came with it after its end',
    }
  if (row && row.asked_by === askedBy) {
    if (row.decision !== 'approved') return { let: false, code: 'WAITS_FOR_APPROVAL', claim: row.id }
    await sql.run('UPDATE claims SET used_at = COALESCE(used_at, ?), agent = ? WHERE id = ?', at, peer.agent, row.id)
    return undefined
  }
  // It lost its key and asks by another: what was approved was the one before.
  await sql.run('DELETE FROM claims WHERE late_serial = ? AND used_at IS NULL', peer.serial)
  const id = newId(Date.parse(at))
  const asked = JSON.stringify({ source, hostname: box.hostname ?? '', hardware: box.hardware ?? null })
  await sql.run(
    `INSERT INTO claims (id, secret_hash, name, roles, segment, made_at, expires_at, replaces, asked_at, asked_by, asked, late_serial)
     SELECT ?, '', a.name, a.roles, s.segment, ?, ?, a.id, ?, ?, ?, ? FROM agents a JOIN agent_segments s ON s.agent = a.id
     WHERE a.id = ? LIMIT 1`,
    id,
    at,
    new Date(Date.parse(at) + days * dayMs).toISOString(),
    at,
    askedBy,
    asked,
    peer.serial,
    peer.agent,
  )
  return { let: false, code: 'WAITS_FOR_APPROVAL', claim: id }
}
