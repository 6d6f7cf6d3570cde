import { z } from 'zod'
import { codeText, verifierOf } from '../../../shared/enrolment-code.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { cidr4, hostname } from '../../../shared/schemas/common.ts'
import { claimReplacement, findAgent, type MadeClaim, makeClaim, tokenText } from '../../fleet/index.ts'
import { check, isDryRun } from '../body.ts'
import type { Routes } from '../port.ts'

/** A code is made too, good so long; short, since people say it aloud. */
const codeMinutes = z.int().min(1).max(1440).optional()
const mostCodes = 50
/** Else, where neither is said, it is good in the networks that the segment is known to have. */
const anywhere = z.boolean().default(false)
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
  /** Networks of which the box has to stand in one, by its own word. */
  within: z.array(cidr4).min(1).max(16).optional(),
  anywhere,
  hours: z.number().min(0.01).max(8760).default(24),
  codeMinutes,
})
const replaceBody = z.strictObject({
  hours: z.number().min(0.01).max(8760).default(24),
  codeMinutes,
  anywhere,
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
    const ca = ports.caFingerprint

    /** What a person hands over: the token, and the code where there is one. */
    async function shown({ id, secret, expiresAt, code, within }: MadeClaim, controller: string) {
      const token = tokenText({ id, secret, ca, exp: expiresAt, controller })
      const claim = { expiresAt, controller, token, ...(within && { within }) }
      if (!code) return claim
      const verifier = await verifierOf(ca, code.secret)
      return { ...claim, code: codeText({ ...code, verifier }), codeExpiresAt: code.expiresAt }
    }

    app.post('/v1/agents/invite', async ({ body, query }) => {
      const input = check(inviteBody, body)
      const { count, name, from, within, codeMinutes, ...rest } = input
      const terms = { ...(from && { from }), ...(within && { within }), ...(codeMinutes && { codeMinutes }) }
      if (rest.anywhere && (from || within))
        throw new MarshlightError('USAGE', {
          what: '--anywhere fits neither --from nor --within',
          command: 'marshlight agents invite',
        })
      if (name && count > 1)
        throw new MarshlightError('USAGE', {
          what: '--name fits only one invitation',
          command: 'marshlight agents invite',
        })
      // Each is stretched with 16 MiB of memory and some tenths of a second.
      if (codeMinutes && count > mostCodes)
        throw new MarshlightError('USAGE', {
          what: `codes are made for at most ${mostCodes} boxes at once; files for as many as there are`,
          command: 'marshlight agents invite',
        })
      if (name && (await store.get('SELECT 1 FROM agents WHERE name = ?', name)))
        throw new MarshlightError('CONFLICT', { what: `the name ${name} is in use`, next: 'Choose another.' })
      const controller = `${deps.config.publicHost}:${ports.enrolPort()}`
      if (isDryRun(query)) return { items: Array.from({ length: count }, () => ({ ...rest, name, controller })) }
      const made = await store.tx(async (sql) => {
        const claims: MadeClaim[] = []
        for (let i = 0; i < count; i++)
          claims.push(await makeClaim(sql, { ...rest, ...(name && { name }), ...terms }, clock.now()))
        return claims
      })
      const { segment, site, roles } = rest
      const items = await Promise.all(
        made.map(async (claim) => ({ id: claim.id, name, segment, site, roles, ...(await shown(claim, controller)) })),
      )
      return { items }
    })

    app.post<Named>('/v1/agents/:agent/replace', async ({ params, body, query }) => {
      const { codeMinutes, ...terms } = check(replaceBody, body)
      const agent = await findAgent(store, params.agent)
      const controller = `${deps.config.publicHost}:${ports.enrolPort()}`
      const { name, roles, segments } = agent
      const known = { name, roles, segment: segments[0]?.name, site: segments[0]?.site, controller }
      if (isDryRun(query)) return known
      const claim = await store.tx((sql) =>
        claimReplacement(sql, agent, { ...terms, ...(codeMinutes && { codeMinutes }), now: clock.now() }),
      )
      if (terms.atOnce) await ports.cutOff(agent.id)
      return { ...known, id: claim.id, ...(await shown(claim, controller)) }
    })
  }
