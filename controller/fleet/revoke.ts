import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'
import { type Agent, revokeAgent, typedName } from './agents.ts'
import { endCertificates } from './certificates.ts'
import { noteEvent } from './history.ts'

/** Marks an agent revoked and forgets what it should be. */
export async function markRevoked(sql: Sql, agent: string, reason: string, at: string): Promise<void> {
  await revokeAgent(sql, agent, at)
  await sql.run('DELETE FROM desired WHERE agent = ?', agent)
  await noteEvent(sql, { agent, at, kind: 'revoked', detail: reason })
}

const ownTables = [
  'agent_segments',
  'desired',
  'document_standing',
  'agent_health',
  'agent_events',
  'ingest_totals',
  'agent_hardware',
  'agent_tags',
  'agent_told',
  'agent_left',
]

/** Removes a revoked agent. No certificate connects as an agent that is not there; its records stay until retention. Throws CONFLICT while it is enrolled. */
export async function removeAgent(sql: Sql, agent: Agent, at: string): Promise<void> {
  if (agent.status !== 'revoked')
    throw new MarshlightError('CONFLICT', {
      what: `${agent.name} is enrolled`,
      next: `Revoke it first: \`marshlight agents revoke ${typedName(agent)}\`.`,
    })
  // Its box may come back later, and is still to be told.
  await endCertificates(sql, agent.id, 'revoked', at)
  for (const table of ownTables) await sql.run(`DELETE FROM ${table} WHERE agent = ?`, agent.id)
  await sql.run('DELETE FROM agents WHERE id = ?', agent.id)
}
