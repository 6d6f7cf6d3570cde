import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { cidr4, hostname } from '../../../shared/schemas/common.ts'
import { claimReplacement, findAgent, makeClaim, tokenText } from '../../fleet/index.ts'
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
const replaceBody = z.strictObject({
  hours: z.number().min(0.01).max(8760).default(24),
  /** The old box is cut off now rather than when the new one comes. */
  atOnce: z.boolean().default(false),
})

export type AgentsPorts = {
  /** What tokens pin. */
  caFingerprint: string
  enrolPort(): number
  /** The agent was revoked in the database: new revocation list, its connection closed, its retained documents cleared. */
  cutOff(agent: string): Promise<void>
}
type Named = { Params: { agent: string } }

/** /v1/agents/invite and /v1/agents/AGENT/replace: claims by which a box comes in. */
export const invitationRoutes =
  (ports: AgentsPorts): Routes =>
  (app, deps) => {
    const { store, clock } = deps
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
  }
