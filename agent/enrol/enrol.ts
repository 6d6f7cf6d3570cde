import { hostname } from 'node:os'
import { z } from 'zod'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import type { Random } from '../../shared/random.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import { askController, readAnswer } from './ask.ts'
import { certificateRequest } from './certificate-request.ts'
import { readHardware } from './hardware.ts'
import { identityPath, isOwnCertificate, keyPath, type StoredIdentity, saveIdentity } from './identity.ts'
import { type Role, role } from './identity-roles.ts'
import { fetchPinnedCa } from './server-trust.ts'
import { parseAddress, parseToken, type Token } from './token.ts'
import { forgetWiped } from './wiped.ts'

export type EnrolOptions = {
  stateDir: string
  token: string
  /** HOST:PORT; where it is missing, the token's own. */
  controller?: string
  version: string
  roles?: readonly Role[]
  /** Of this box; read where it is not given. */
  hardware?: Hardware
  /** Milliseconds since 1970. */
  now: number
  onStep?: (step: string) => void
  /** How to wait for an administrator's approval; without it WAITS_FOR_APPROVAL is thrown. */
  wait?: { clock: Clock; random: Random; signal?: AbortSignal }
}

const waitMs = 20_000
const answer = z.object({
  agent: z.uuidv7(),
  name: z.string(),
  certificate: z.string(),
  ca: z.string(),
  mqtt: z.object({ host: z.string(), port: z.int() }),
  signingKey: z.string(),
  roles: z.array(role).min(1),
})

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
    hardware: o.hardware ?? (await readHardware()),
  }
  const given = await approved(o, async () =>
    readAnswer(at, await askController(at, { ca }, '/v1/enrol', body), answer, refused(token)),
  )
  checkAnswer(given, ca, await readIfThere(keyPath(o.stateDir)), address)
  // The address that was reached from here, whatever the controller calls itself.
  const identity: StoredIdentity = { v: 1, ...given, ca, enrol: at }
  await saveIdentity(o.stateDir, identity)
  await forgetWiped(o.stateDir)
  return identity
}

function refused(token: Token): (code: string, message: string) => Error | undefined {
  return (code, message) => {
    if (code === 'TOKEN_USED') return new MarshlightError(code, { id: token.id })
    if (code === 'TOKEN_EXPIRED') return new MarshlightError(code, { id: token.id, expiresAt: token.exp })
    if (code === 'TOKEN_REJECTED' || code === 'WAITS_FOR_APPROVAL') return new MarshlightError(code, { id: token.id })
    if (code === 'TOKEN_MISPLACED') return new MarshlightError(code, { id: token.id, source: sourceIn(message) })
    if (code === 'TOKEN_INVALID') return new MarshlightError(code, { why: message })
    return undefined
  }
}

/** Asks until an administrator decided. Once the box waits, a controller that is away for a while is no reason to give up. */
async function approved<T>({ wait, onStep }: EnrolOptions, ask: () => Promise<T>): Promise<T> {
  for (let waiting = false; ; ) {
    try {
      return await ask()
    } catch (error) {
      const { code } = error as { code?: string }
      if (!wait || !(code === 'WAITS_FOR_APPROVAL' || (waiting && code === 'CONTROLLER_UNREACHABLE'))) throw error
      if (!waiting) onStep?.(wordsOf(error))
      waiting = true
    }
    // Many boxes of one site may wait behind one address, and the controller bounds what comes from it.
    await wait.clock.sleep(waitMs * (0.5 + wait.random()), wait.signal)
  }
}

/** The address the controller saw, as its message ends with. */
const sourceIn = (message: string): string => message.split(' ').at(-1) ?? 'here'

/** A certificate of another CA, or for another key, would only fail later and less plainly. */
function checkAnswer(given: z.infer<typeof answer>, ca: string, key: string | undefined, address: string): void {
  if (key !== undefined && isOwnCertificate(given.certificate, { agent: given.agent, ca, key })) return
  throw new MarshlightError('CONTROLLER_UNREACHABLE', {
    address,
    why: 'it gave a certificate that is not this agent’s',
  })
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
