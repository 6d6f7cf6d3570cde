import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { cidr4, hostname } from '../../../shared/schemas/common.ts'
import type { Deps } from '../../deps.ts'
import {
  type Agent,
  claimReplacement,
  findAgent,
  givenTo,
  listAgents,
  makeClaim,
  markRevoked,
  removeAgent,
  renameAgent,
  tokenText,
} from '../../fleet/index.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'

const inviteBody = z.strictObject({
  site: z.string().min(1).max(64).default('main'),
  segment: z.string().min(1).max(64),
  name: hostname.optional(),
  roles: z
    .array(z.enum(['decoys', 'enforcer']))
    .min(1)
    // The two keep different packet filters, and an agent keeps one.
    .max(1, 'an agent has one role; invite another for the other')
    .default(['decoys']),
  count: z.int().min(1).max(1000).default(1),
  /** Networks the claim may be used from; any where none is given. */
  from: z.array(cidr4).min(1).max(16).optional(),
  hours: z.number().min(0.01).max(8760).default(24),
})
const revokeBody = z.strictObject({ reason: z.string().max(256).default('by an administrator') })
const replaceBody = z.strictObject({
  hours: z.number().min(0.01).max(8760).default(24),
  /** The old box is cut off now rather than when the new one comes. */
  atOnce: z.boolean().default(false),
})
const renameBody = z.strictObject({ name: hostname })
export type AgentsPorts = {
  /** What tokens pin. */
  caFingerprint: string
  enrolPort(): number
  /** The agent was revoked in the database: new revocation list, its connection closed, its retained documents cleared. */
  cutOff(agent: string): Promise<void>
}
type Named = { Params: { agent: string } }

/** /v1/agents: who is enrolled, how they are, invitations, revocation. */
export const agentsRoutes =
  (ports: AgentsPorts): Routes =>
  (app, deps) => {
    const { store, bus, clock } = deps
    app.get('/v1/agents', async () => ({ items: await listAgents(store) }))
    app.get<Named>('/v1/agents/:agent', async ({ params }) => details(deps, await findAgent(store, params.agent)))

    app.post('/v1/agents/invite', async ({ body, query }) => {
      const input = check(inviteBody, body)
      const { count, name, from, ...rest } = input
      if (name && count > 1)
        throw new MarshlightError('USAGE', {
          what: '--name fits only one invitation',
          command: 'marshlight agents invite',
        })
      if (name && (await store.get('SELECT 1 FROM agents WHERE name = ?', name)))
        throw new MarshlightError('CONFLICT', { what: `the name ${name} is in use`, next: 'Choose another.' })
      const controller = `${deps.config.publicHost}:${ports.enrolPort()}`
      if (isDryRun(query)) return { items: Array.from({ length: count }, () => ({ ...rest, name, controller })) }
      const items = await store.tx(async (sql) => {
        const made = []
        for (let i = 0; i < count; i++) {
          const claim = await makeClaim(sql, { ...rest, ...(name && { name }), ...(from && { from }) }, clock.now())
          const { id, secret, expiresAt } = claim
          const token = tokenText({ id, secret, ca: ports.caFingerprint, exp: expiresAt, controller })
          made.push({
            id,
            name,
            segment: rest.segment,
            site: rest.site,
            roles: rest.roles,
            expiresAt,
            controller,
            token,
          })
        }
        return made
      })
      return { items }
    })

    app.post<Named>('/v1/agents/:agent/revoke', async ({ params, body, query }) => {
      const { reason } = check(revokeBody, body)
      const agent = await findAgent(store, params.agent)
      if (agent.status === 'revoked')
        throw new MarshlightError('CONFLICT', {
          what: `${agent.name} is revoked already`,
          next: 'Nothing is to be done.',
        })
      if (!isDryRun(query)) {
        await store.tx((sql) => markRevoked(sql, agent.id, reason, isoNow(clock)))
        await ports.cutOff(agent.id)
        bus.emit({ name: 'presence', agent: agent.id, status: 'offline' })
        bus.emit({ name: 'plan-changed', agents: 'all' })
      }
      return { ...agent, status: 'revoked' }
    })

    app.post<Named>('/v1/agents/:agent/replace', async ({ params, body, query }) => {
      const { hours, atOnce } = check(replaceBody, body)
      const agent = await findAgent(store, params.agent)
      const controller = `${deps.config.publicHost}:${ports.enrolPort()}`
      const { name, roles, segments } = agent
      const known = { name, roles, segment: segments[0]?.name, site: segments[0]?.site, controller }
      if (isDryRun(query)) return known
      const { id, secret, expiresAt } = await store.tx((sql) =>
        claimReplacement(sql, agent, { hours, atOnce, now: clock.now() }),
      )
      if (atOnce) await ports.cutOff(agent.id)
      const token = tokenText({ id, secret, ca: ports.caFingerprint, exp: expiresAt, controller })
      return { ...known, id, expiresAt, token }
    })

    app.put<Named>('/v1/agents/:agent', async ({ params, body, query }) => {
      const { name } = check(renameBody, body)
      const agent = await findAgent(store, params.agent)
      const other = await store.get<{ id: string }>('SELECT id FROM agents WHERE name = ?', name)
      if (other && other.id !== agent.id)
        throw new MarshlightError('CONFLICT', { what: `the name ${name} is in use`, next: 'Choose another.' })
      if (!isDryRun(query)) await store.tx((sql) => renameAgent(sql, agent.id, name))
      return { ...agent, name }
    })

    app.delete<Named>('/v1/agents/:agent', async ({ params, query }) => {
      const agent = await findAgent(store, params.agent)
      if (isDryRun(query) && agent.status === 'revoked') return agent
      await store.tx((sql) => removeAgent(sql, agent, isoNow(clock)))
      return agent
    })
  }

async function details({ store }: Deps, agent: Agent) {
  const health = await store.get<{ at: string; body: string }>(
    'SELECT at, body FROM agent_health WHERE agent = ?',
    agent.id,
  )
  return {
    ...agent,
    /** Given by a renewal, and not used yet. */
    nextCertificate: (await givenTo(store, agent.id)) ?? null,
    renewedAt:
      (
        await store.get<{ at: string }>(
          "SELECT max(at) AS at FROM agent_events WHERE agent = ? AND kind = 'renewed'",
          agent.id,
        )
      )?.at ?? null,
    documents: await store.all(
      `SELECT d.kind, d.revision, d.issued_at AS issuedAt, d.expires_at AS expiresAt, s.revision AS heldRevision, s.outcome, s.at, s.code, s.reason
       FROM desired d LEFT JOIN document_standing s ON s.agent = d.agent AND s.document = d.kind WHERE d.agent = ?`,
      agent.id,
    ),
    streams: await store.all(
      'SELECT stream, committed, dead, lost, duplicated, last_at AS lastAt FROM ingest_totals WHERE agent = ? ORDER BY stream',
      agent.id,
    ),
    health: health ? (JSON.parse(health.body) as Record<string, unknown>) : null,
    history: await store.all(
      'SELECT at, kind, detail FROM agent_events WHERE agent = ? ORDER BY id DESC LIMIT 20',
      agent.id,
    ),
  }
}
