import { createPrivateKey, X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { hostname } from 'node:os'
import { z } from 'zod'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import { certificateRequest } from './certificate-request.ts'
import { identityPath, keyPath, type Role, role, type StoredIdentity, saveIdentity } from './identity.ts'
import { fetchPinnedCa, serverError } from './server-trust.ts'
import { parseAddress, parseToken, type Token } from './token.ts'

export type EnrolOptions = {
  stateDir: string
  token: string
  /** HOST:PORT; where it is missing, the token's own. */
  controller?: string
  version: string
  roles?: readonly Role[]
  /** Milliseconds since 1970. */
  now: number
  onStep?: (step: string) => void
}

const answer = z.object({
  agent: z.uuidv7(),
  name: z.string(),
  certificate: z.string(),
  ca: z.string(),
  mqtt: z.object({ host: z.string(), port: z.int() }),
  signingKey: z.string(),
  roles: z.array(role).min(1),
})
const refusal = z.object({ error: z.object({ code: z.string(), message: z.string().max(1024) }) })

const deadlineMs = 30_000
const answerBytes = 65_536

/**
 * Makes this machine an agent of the controller the token names:
 *
 *   token -> CA shown by the controller has the pinned fingerprint -> key and request -> POST -> identity written
 *
 * May be run again after it broke off at any point. Throws MarshlightErrors TOKEN_*, CA_MISMATCH,
 * CONTROLLER_UNREACHABLE, ALREADY_ENROLLED.
 */
export async function enrol(o: EnrolOptions): Promise<StoredIdentity> {
  const token = parseToken(o.token, o.now)
  const address = o.controller ?? token.controller
  if (!address)
    throw new MarshlightError('USAGE', { what: 'the token names no controller', command: 'marshlight-agent enrol' })
  const at = parseAddress(address)
  const held = await readIfThere(identityPath(o.stateDir))
  if (held !== undefined)
    throw new MarshlightError('ALREADY_ENROLLED', { agent: agentIn(held), path: identityPath(o.stateDir) })

  o.onStep?.(`checking that ${address} is the controller of the token`)
  const ca = await fetchPinnedCa(at, token.ca)
  o.onStep?.('making a key and a certificate request')
  const csr = await certificateRequest(o.stateDir)
  o.onStep?.('asking for a certificate')
  const body = {
    token: { id: token.id, secret: token.secret },
    csr,
    hostname: hostname(),
    version: o.version,
    roles: o.roles ?? ['decoys'],
  }
  const given = answerOf(await post(at, ca, body), token, address)
  checkAnswer(given, ca, await readIfThere(keyPath(o.stateDir)), address)
  const identity: StoredIdentity = { v: 1, ...given, ca }
  await saveIdentity(o.stateDir, identity)
  return identity
}

async function post(
  at: { host: string; port: number },
  ca: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  const address = `${at.host}:${at.port}`
  const text = JSON.stringify(body)
  try {
    return await new Promise((resolve, reject) => {
      const sent = request(
        {
          ...at,
          ca,
          path: '/v1/enrol',
          method: 'POST',
          minVersion: 'TLSv1.3',
          checkServerIdentity: (_host, certificate) => serverError(certificate),
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
          agent: false,
          timeout: deadlineMs,
        },
        (response) => {
          let received = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            received += chunk
            if (received.length > answerBytes) response.destroy(new Error('its answer is too long'))
          })
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text: received }))
        },
      )
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${deadlineMs / 1000} s`)))
      sent.on('error', reject)
      sent.end(text)
    })
  } catch (error) {
    if (error instanceof MarshlightError) throw error
    const clock = /CERT_NOT_YET_VALID|CERT_HAS_EXPIRED/.test(String((error as NodeJS.ErrnoException).code))
    const why = `${wordsOf(error)}${clock ? '; is the clock of this machine right?' : ''}`
    throw new MarshlightError('CONTROLLER_UNREACHABLE', { address, why }, { cause: error })
  }
}

function answerOf({ status, text }: { status: number; text: string }, token: Token, address: string) {
  const json = jsonOf(text)
  if (status === 200) {
    const parsed = answer.safeParse(json)
    if (parsed.success) return parsed.data
    const why = `its answer cannot be used: ${parsed.error.issues[0]?.path.join('.')}`
    throw new MarshlightError('CONTROLLER_UNREACHABLE', { address, why })
  }
  const refused = refusal.safeParse(json)
  if (!refused.success) throw new MarshlightError('CONTROLLER_UNREACHABLE', { address, why: `it answered ${status}` })
  const { code, message } = refused.data.error
  if (code === 'TOKEN_USED') throw new MarshlightError(code, { id: token.id })
  if (code === 'TOKEN_EXPIRED') throw new MarshlightError(code, { id: token.id, expiresAt: token.exp })
  if (code === 'TOKEN_INVALID') throw new MarshlightError(code, { why: message })
  throw new MarshlightError('CONTROLLER_UNREACHABLE', { address, why: `it answered ${status}: ${message}` })
}

/** A certificate of another CA, or for another key, would only fail later and less plainly. */
function checkAnswer(given: z.infer<typeof answer>, ca: string, key: string | undefined, address: string): void {
  const certificate = new X509Certificate(given.certificate)
  const good =
    certificate.verify(new X509Certificate(ca).publicKey) &&
    certificate.subject.includes(`CN=${given.agent}`) &&
    key !== undefined &&
    sameKey(certificate, key)
  if (!good)
    throw new MarshlightError('CONTROLLER_UNREACHABLE', {
      address,
      why: 'it gave a certificate that is not this agent’s',
    })
}

function sameKey(certificate: X509Certificate, keyPem: string): boolean {
  return certificate.checkPrivateKey(createPrivateKey(keyPem))
}

const agentIn = (text: string): string => {
  const { agent } = (jsonOf(text) ?? {}) as { agent?: unknown }
  return typeof agent === 'string' ? agent : 'an unreadable identity'
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
