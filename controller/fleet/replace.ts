import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'
import type { Agent } from './agents.ts'
import { endCertificates } from './certificates.ts'
import { type MadeClaim, makeReplacement } from './claims.ts'
import { noteEvent } from './history.ts'
import { forgetTold } from './told.ts'

/** What an agent's history calls it when another box took over. */
export const boxReplaced = 'box replaced'

type NewBox = {
  agent: string
  hostname: string
  version: string
  serial: string
  expires: string
  now: string
}

/**
 * A claim by which another box becomes this agent: same name, segments, roles, and with them decoys and documents.
 *
 *   claim made -- (atOnce: the old certificate ends here) --> claim used: the old certificate ends, the new box is the agent
 *
 * So by default the old box watches on until the new one is there. Throws CONFLICT where the agent has no segment.
 */
export async function claimReplacement(
  sql: Sql,
  agent: Agent,
  o: { hours: number; codeMinutes?: number; anywhere?: boolean; atOnce: boolean; now: number },
): Promise<MadeClaim> {
  const [segment] = agent.segments
  if (!segment)
    throw new MarshlightError('CONFLICT', {
      what: `${agent.name} stands in no segment`,
      next: 'Invite a new agent instead: `marshlight agents invite`.',
    })
  const at = new Date(o.now).toISOString()
  const claim = await makeReplacement(sql, { agent: agent.id, roles: agent.roles, segment: segment.id, ...o })
  await noteEvent(sql, {
    agent: agent.id,
    at,
    kind: 'replacement',
    detail: `claim ${claim.id} until ${claim.expiresAt}`,
  })
  if (o.atOnce) await endCertificates(sql, agent.id, 'replaced', at)
  return claim
}

/** Makes the new box the agent. What the old one last told of itself is forgotten; what it recorded stays. */
export async function putInPlace(sql: Sql, box: NewBox): Promise<void> {
  const { agent, hostname, version, serial, expires, now } = box
  await endCertificates(sql, agent, 'replaced', now)
  await sql.run(
    `UPDATE agents SET status = 'enrolled', revoked_at = NULL, certificate_serial = ?, certificate_expires = ?, enrolled_at = ?,
       hostname = ?, version = ?, presence = 'unknown' WHERE id = ?`,
    serial,
    expires,
    now,
    hostname,
    version,
    agent,
  )
  await forgetTold(sql, agent)
  for (const table of ['agent_health', 'document_standing'])
    await sql.run(`DELETE FROM ${table} WHERE agent = ?`, agent)
  await noteEvent(sql, { agent, at: now, kind: boxReplaced, detail: `${hostname} took over` })
}
