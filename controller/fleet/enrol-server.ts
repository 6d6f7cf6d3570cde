import { createHash } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isoNow } from '../../shared/clock.ts'
import { codeSecret } from '../../shared/enrolment-code.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { cidr4, untrusted } from '../../shared/schemas/common.ts'
import { renewRequest } from '../../shared/schemas/enrolment.ts'
import { hardware } from '../../shared/schemas/hardware.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { findAgent, freeName, insertAgent, renewCertificate } from './agents.ts'
import { requireApproval } from './approval.ts'
import type { Authority } from './authority.ts'
import { renew } from './certificates.ts'
import { type Claim, openClaim, useClaim } from './claims.ts'
import { makeGuesses } from './guesses.ts'
import { type LateBox, lateVerdict } from './late.ts'
import type { RefusedClaim } from './refused-claims.ts'
import { putInPlace } from './replace.ts'
import { admitted, shownBy } from './shown-certificate.ts'
import { tagByPlace } from './sites.ts'
import { orderFor } from './taken-back.ts'
import { bindHardware } from './twins.ts'

const enrolRequest = z.object({
  token: z.union([
    z.object({ id: z.uuidv7(), secret: untrusted(128) }),
    z.object({ code: z.string().regex(codeSecret) }),
  ]),
  csr: z.string().max(8192),
  hostname: untrusted(253),
  version: untrusted(32),
  roles: z.array(z.string()).max(8).optional(),
  hardware: hardware.optional(),
  /** In which the box stands. */
  networks: z.array(cidr4).max(64).optional(),
})
export type EnrolRequest = z.infer<typeof enrolRequest>

export type EnrolAnswer = {
  agent: string
  name: string
  certificate: string
  ca: string
  mqtt: { host: string; port: number }
  /** Ed25519, SPKI PEM: what signs plans, block lists and requests. */
  signingKey: string
  roles: string[]
}

/** Requests a source may make in a minute; a token has 192 random bits, so this only bounds noise. */
const perMinute = 30

export type EnrolPorts = {
  /** A box became this agent: no connection of another one may go on. */
  enrolled?(agent: string): Promise<void>
  refused?(what: RefusedClaim): void
  /** Codes that nobody made came so often that none is taken for a while. */
  guessed?(source: string, hostname: string): void
  /** A box came back by a certificate that had ended, and was given the next one. */
  late?(agent: string, source: string): void
  /** Another box than the agent's showed a certificate of it that had ended. */
  stale?(agent: string, source: string, why: string): void
  /** What else agents find here; `who` names the agent that shows a good certificate, or throws CERTIFICATE_REFUSED. */
  routes?(app: FastifyInstance, who: (request: FastifyRequest) => Promise<string>): void
}

/** HTTPS for agents that have no certificate yet, or need the next: a token, or the present one, and a request in; a certificate out. */
export function makeEnrolServer(
  deps: Deps,
  authority: Authority,
  ports: EnrolPorts = {},
): Part & { address(): { host: string; port: number } } {
  const { config, log } = deps
  let app: FastifyInstance | undefined
  const seen = new Map<string, { since: number; count: number }>()
  const guesses = makeGuesses(deps.clock.now)

  const tooMany = (source: string): boolean => {
    const now = deps.clock.now()
    for (const [ip, { since }] of seen) if (now - since > 60_000) seen.delete(ip)
    const entry = seen.get(source) ?? { since: now, count: 0 }
    entry.count++
    seen.set(source, entry)
    return entry.count > perMinute
  }

  /** Throws CERTIFICATE_REFUSED, WAITS_FOR_APPROVAL; both are told. */
  async function letLate(box: LateBox): Promise<void> {
    const { peer, source, hardware, hostname = '' } = box
    const verdict = await lateVerdict(deps, box)
    if (verdict.let) return ports.late?.(peer.agent, source)
    if (verdict.code === 'CERTIFICATE_REFUSED') {
      if (verdict.otherBox) ports.stale?.(peer.agent, source, verdict.why)
      throw new MarshlightError(verdict.code, { why: verdict.why })
    }
    const waits = new MarshlightError(verdict.code, { id: verdict.claim })
    ports.refused?.({ claim: verdict.claim, code: waits.code, why: waits.message, source, hostname, hardware })
    throw waits
  }

  return {
    name: 'enrol',
    address: () => {
      const [at] = app?.addresses() ?? []
      if (at === undefined || typeof at === 'string') return config.enrol
      return { host: at.address, port: at.port }
    },
    async start() {
      const https = {
        key: authority.serverKey,
        cert: authority.serverCert,
        ca: authority.caPem,
        // Who enrols has no certificate yet; what needs one looks at it itself.
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.3' as const,
      }
      app = fastify({ https, bodyLimit: 32_768, forceCloseConnections: true }) as unknown as FastifyInstance
      app.setErrorHandler((error, request, reply) => {
        const known = error instanceof MarshlightError
        log.warn({ source: request.ip, why: wordsOf(error) }, 'an enrolment was refused')
        const status = known ? 403 : ((error as { statusCode?: number }).statusCode ?? 500)
        reply.status(status).send({
          error: known
            ? { code: error.code, message: error.message, next: error.next }
            : { code: 'INTERNAL', message: 'the enrolment failed', next: 'See the log of the controller.' },
        })
      })
      app.post('/v1/enrol', async (request, reply) => {
        if (tooMany(request.ip)) return reply.status(429).send(busy)
        const parsed = enrolRequest.safeParse(request.body)
        if (!parsed.success)
          throw new MarshlightError('TOKEN_INVALID', { why: 'the request does not have the form of one' })
        const source = plainIp(request.ip)
        const { token } = parsed.data
        const typed = 'code' in token
        try {
          if (typed) guesses.check(source)
          const answer = await enrol(deps, authority, parsed.data, source)
          await ports.enrolled?.(answer.agent)
          return answer
        } catch (error) {
          if (!(error instanceof MarshlightError)) throw error
          const { hostname, hardware } = parsed.data
          if (typed && error.code === 'TOKEN_INVALID' && guesses.wrong(source)) ports.guessed?.(source, hostname)
          const claim = typed ? String(error.details.id ?? '') : token.id
          ports.refused?.({ claim, code: error.code, why: error.message, source, hostname, hardware })
          throw error
        }
      })
      app.post('/v1/renew', async (request, reply) => {
        if (tooMany(request.ip)) return reply.status(429).send(busy)
        const { endedAt, ...peer } = shownBy(request.raw.socket, authority.caPem, { expiredToo: true })
        const parsed = renewRequest.safeParse(request.body)
        if (!parsed.success)
          throw new MarshlightError('TOKEN_INVALID', { why: 'the request does not have the form of one' })
        if (endedAt !== undefined) await letLate({ ...parsed.data, peer, endedAt, source: plainIp(request.ip) })
        const answer = await renew(deps, authority, peer, parsed.data.csr)
        log.info(peer, 'gave an agent its next certificate')
        return answer
      })
      app.post('/v1/standing', async (request, reply) => {
        if (tooMany(request.ip)) return reply.status(429).send(busy)
        const { endedAt: _ended, ...peer } = shownBy(request.raw.socket, authority.caPem, { expiredToo: true })
        const wipe = await orderFor(deps, authority, peer)
        if (wipe) log.warn(peer, 'a box that was taken back asked, and is told to wipe itself')
        return wipe ? { wipe } : {}
      })
      ports.routes?.(app, (request) => admitted(deps, authority.caPem, request.raw.socket))
      await app.listen(config.enrol)
    },
    async stop() {
      await app?.close()
      app = undefined
    },
  }
}

const busy = { error: { code: 'TIMEOUT', message: 'too many requests', next: 'Wait a minute and try again.' } }

const plainIp = (ip: string): string => ip.replace(/^::ffff:/, '')

/** A lost answer is given again while nothing happened since: a box that was revoked or replaced does not come back by it. */
async function stillHis(sql: Sql, { id, agent, usedAt }: Claim): Promise<void> {
  const one = "SELECT 1 AS ok FROM agents WHERE id = ? AND status = 'enrolled' AND enrolled_at = ?"
  if (!(await sql.get(one, agent, usedAt))) throw new MarshlightError('TOKEN_USED', { id })
}

/** The agent, if it is still there. Throws TOKEN_INVALID. */
async function replaceable(sql: Sql, agent: string): Promise<string> {
  if (await sql.get('SELECT 1 AS ok FROM agents WHERE id = ?', agent)) return agent
  throw new MarshlightError('TOKEN_INVALID', { why: 'the agent whose place it was for was removed' })
}

/** Uses a claim. One transaction: either the claim is used and the agent exists, or neither. */
export async function enrol(
  deps: Deps,
  authority: Authority,
  request: EnrolRequest,
  source = '',
): Promise<EnrolAnswer> {
  const { store, clock, config, bus, log } = deps
  const csrHash = createHash('sha256').update(request.csr).digest('hex')
  const place = { source, networks: request.networks }
  if (config.enrolment.approval === 'manual') await requireApproval(deps, request, csrHash, place)
  const answer = await store.tx(async (sql): Promise<EnrolAnswer> => {
    const claim = await openClaim(sql, request.token, csrHash, clock.now(), place)
    const id = claim.agent ?? claim.replaces ?? newId(clock.now())
    const { certificate, serial, expires } = await authority.signAgent(id, request.csr, clock.now())
    const { hostname, version } = request
    const made = { hostname, version, serial, expires, now: isoNow(clock) }
    if (claim.agent) {
      await stillHis(sql, claim)
      await renewCertificate(sql, id, serial, expires)
    } else {
      if (claim.replaces) await putInPlace(sql, { ...made, agent: await replaceable(sql, claim.replaces) })
      else {
        const name = await freeName(sql, claim.name ?? (hostname || 'agent'))
        await insertAgent(sql, { ...made, id, name, roles: claim.roles, segment: claim.segment })
        await tagByPlace(sql, id, claim.segment)
      }
      await bindHardware(sql, { agent: id, address: source, said: request.hardware, at: made.now })
      await useClaim(sql, claim.id, id, csrHash, made.now)
    }
    const { name } = await findAgent(sql, id)
    const mqtt = { host: config.publicHost, port: config.mqtt.port }
    return {
      agent: id,
      name,
      certificate,
      ca: authority.caPem,
      mqtt,
      signingKey: authority.signingPublicPem,
      roles: claim.roles,
    }
  })
  log.info({ agent: answer.agent, name: answer.name }, 'an agent enrolled')
  bus.emit({ name: 'plan-changed', agents: [answer.agent] })
  bus.emit({ name: 'blocks-changed' })
  return answer
}
