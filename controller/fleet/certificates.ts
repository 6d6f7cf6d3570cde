import { isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import type { RenewAnswer } from '../../shared/schemas/enrolment.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { renewCertificate } from './agents.ts'
import type { Authority, Revoked } from './authority.ts'
import { noteEvent } from './history.ts'

/** Who a verified client certificate is. The serial is hexadecimal, lower case. */
export type Peer = { agent: string; serial: string }
export type EndedCertificate = { agent: string; endedAt: string; why: string }

/**
 * An agent has one certificate that is good, or two for the time between a renewal and its first use:
 *
 *   present -- renew --> present, given -- given is used --> present (the given one), ended (the one before)
 *
 * So a box that loses power anywhere in between still holds one that lets it in.
 */
export async function admit(
  sql: Sql,
  { agent, serial }: Peer,
  now: string,
): Promise<{ refusal?: string; renewed?: true; stale?: true }> {
  const row = await sql.get<{ status: string; serial: string | null; expires: string | null }>(
    'SELECT status, certificate_serial AS serial, certificate_expires AS expires FROM agents WHERE id = ?',
    agent,
  )
  if (row?.status !== 'enrolled') return { refusal: 'it is not enrolled, or revoked' }
  if (row.serial === serial) return {}
  const given = await givenTo(sql, agent)
  if (given?.serial !== serial) {
    const ended = await endedCertificate(sql, serial)
    const refusal = `its certificate is not the present one${ended ? `: ${ended.why} at ${ended.endedAt}` : ''}`
    return { refusal, ...(ended?.why === 'renewed' && { stale: true }) }
  }
  await endPresent(sql, agent, 'renewed', now)
  await renewCertificate(sql, agent, serial, given.expires)
  await sql.run('DELETE FROM agent_certificates WHERE serial = ?', serial)
  await noteEvent(sql, { agent, at: now, kind: 'renewed', detail: `its certificate is good until ${given.expires}` })
  return { renewed: true }
}

/** Whether this is the certificate that the agent is known by; asked first, since nearly all connections show it. */
export const isPresent = async (sql: Sql, { agent, serial }: Peer): Promise<boolean> =>
  (await sql.get(
    "SELECT 1 AS ok FROM agents WHERE id = ? AND status = 'enrolled' AND certificate_serial = ?",
    agent,
    serial,
  )) !== undefined

/** A certificate for the key of `csr`, for who shows the present one. Throws CERTIFICATE_REFUSED, TOKEN_INVALID. */
export async function renew(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  authority: Pick<Authority, 'signAgent'>,
  { agent, serial }: Peer,
  csr: string,
): Promise<RenewAnswer> {
  const { certificate, ...made } = await authority.signAgent(agent, csr, clock.now())
  return store.tx(async (sql) => {
    const { refusal } = await admit(sql, { agent, serial }, isoNow(clock))
    if (refusal !== undefined) throw new MarshlightError('CERTIFICATE_REFUSED', { why: refusal })
    // Asked again, since the answer was lost: the one before was never held by anybody.
    await sql.run('DELETE FROM agent_certificates WHERE agent = ? AND ended_at IS NULL', agent)
    await sql.run(
      'INSERT INTO agent_certificates (serial, agent, given_at, expires_at) VALUES (?, ?, ?, ?)',
      made.serial,
      agent,
      isoNow(clock),
      made.expires,
    )
    return { certificate }
  })
}

/** The certificate that a renewal gave and nobody used yet. */
export const givenTo = (sql: Sql, agent: string) =>
  sql.get<{ serial: string; expires: string; at: string }>(
    `SELECT serial, expires_at AS expires, given_at AS at FROM agent_certificates WHERE agent = ? AND ended_at IS NULL`,
    agent,
  )

export const endedCertificate = (sql: Sql, serial: string) =>
  sql.get<EndedCertificate>(
    `SELECT agent, ended_at AS endedAt, ended_why AS why FROM agent_certificates WHERE serial = ? AND ended_at IS NOT NULL`,
    serial,
  )

/** No certificate of the agent is good any more, until it is given another. */
export async function endCertificates(sql: Sql, agent: string, why: string, now: string): Promise<void> {
  await endPresent(sql, agent, why, now)
  await sql.run(
    'UPDATE agent_certificates SET ended_at = ?, ended_why = ? WHERE agent = ? AND ended_at IS NULL',
    now,
    why,
    agent,
  )
  await sql.run('UPDATE agents SET certificate_serial = NULL, certificate_expires = NULL WHERE id = ?', agent)
}

async function endPresent(sql: Sql, agent: string, why: string, now: string): Promise<void> {
  await sql.run(
    `INSERT INTO agent_certificates (serial, agent, expires_at, ended_at, ended_why)
     SELECT certificate_serial, id, COALESCE(certificate_expires, ?), ?, ? FROM agents WHERE id = ? AND certificate_serial IS NOT NULL
     ON CONFLICT (serial) DO UPDATE SET ended_at = excluded.ended_at, ended_why = excluded.ended_why`,
    now,
    now,
    why,
    agent,
  )
}

/** What the revocation list holds: all that would still be good by its dates and is not. */
export const revokedCertificates = (sql: Sql, now: string): Promise<Revoked[]> =>
  sql.all<Revoked>(
    `SELECT certificate_serial AS serial, revoked_at AS at FROM agents WHERE status = 'revoked' AND certificate_serial IS NOT NULL
     UNION SELECT c.serial, COALESCE(c.ended_at, a.revoked_at) FROM agent_certificates c JOIN agents a ON a.id = c.agent
       WHERE c.expires_at > ? AND (c.ended_at IS NOT NULL OR a.status = 'revoked')`,
    now,
  )
