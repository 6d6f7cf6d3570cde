import { hostname } from 'node:os'
import { z } from 'zod'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import type { Random } from '../../shared/random.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import { askController, readAnswer } from './ask.ts'
import { certificateRequest, dropShown, heldKey, keepShown } from './certificate-request.ts'
import { readHardware } from './hardware.ts'
import { identityPath, isOwnCertificate, lostKey, type StoredIdentity, saveIdentity } from './identity.ts'
import { type Role, role } from './identity-roles.ts'
import { readNetworks } from './networks.ts'
import { forgetTyped, keepTyped } from './typed-code.ts'
import { byCode, byToken } from './way-in.ts'
import { forgetWiped } from './wiped.ts'

/** `controller` is HOST:PORT; where a token is without one, its own. A code needs one, whose port may be left out. */
export type EnrolOptions = ({ token: string; controller?: string } | { code: string; controller: string }) & {
  stateDir: string
  /** The HTTP proxy on the way there. */
  proxy?: string | undefined
  version: string
  roles?: readonly Role[]
  /** Of this box; read where it is not given. */
  hardware?: Hardware
  /** In which this box stands, as 198.18.3.10/24; read where they are not given. */
  networks?: string[]
  /** What it is called; its own host name where it is not given. */
  hostname?: string
  /** Milliseconds since 1970. */
  now: number
  onStep?: (step: string) => void
  /** The CA is known, by the pin of a token or by a code; what follows is verified by it, and by this box's clock. */
  onCa?: (ca: string) => Promise<void>
  /** How to wait for an administrator's approval; without it WAITS_FOR_APPROVAL is thrown. */
  wait?: { clock: Clock; random: Random; signal?: AbortSignal }
}

const waitMs = 20_000
const unreachable: ReadonlySet<string> = new Set(['CONTROLLER_UNREACHABLE', 'PROXY_REFUSED'])
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
 * Makes this machine an agent of the controller that a token names, or whose code somebody typed:
 *
 *   token -> CA shown by the controller has the pinned fingerprint -.
 *   code  -> CA shown by the controller fits the code -> code kept  -+-> key and request -> POST -> identity written
 *
 * May be run again after it broke off at any point. Throws MarshlightErrors TOKEN_*, CODE_*, CA_MISMATCH,
 * CONTROLLER_UNREACHABLE, PROXY_REFUSED, ALREADY_ENROLLED.
 */
export async function enrol(o: EnrolOptions): Promise<StoredIdentity> {
  const way = 'code' in o ? byCode(o.code, o.controller, o.proxy) : byToken(o.token, o.controller, o.now, o.proxy)
  const { at } = way
  const address = `${at.host}:${at.port}`
  const held = await readIfThere(identityPath(o.stateDir))
  if (held !== undefined) {
    await forgetTyped(o.stateDir)
    throw new MarshlightError('ALREADY_ENROLLED', { agent: agentIn(held), path: identityPath(o.stateDir) })
  }

  o.onStep?.(`checking that ${address} is the controller of the ${'code' in o ? 'code' : 'token'}`)
  const ca = await way.ca()
  // First, so that nothing that may pass, as a clock that cannot be set now, makes a good code be forgotten.
  if ('code' in o) await keepTyped(o.stateDir, { code: o.code, controller: address })
  await o.onCa?.(ca)
  o.onStep?.('making a key and a certificate request')
  const csr = await certificateRequest(o.stateDir, (error) =>
    o.onStep?.(`the TPM does not hold the key, which lies in a file: ${wordsOf(error)}`),
  )
  let isFirst = await keepShown(o.stateDir, way.shown)
  o.onStep?.('asking for a certificate')
  const body = {
    token: way.shown,
    csr,
    hostname: o.hostname ?? hostname(),
    version: o.version,
    roles: o.roles ?? ['decoys'],
    hardware: o.hardware ?? (await readHardware()),
    networks: o.networks ?? readNetworks(),
  }
  const given = await approved(o, async () => {
    try {
      return readAnswer(at, await askController(at, { ca }, '/v1/enrol', body), answer, way.refused)
    } catch (error) {
      // In a wrong place before anything else was said: another key serves as well in the right one.
      const isOver = isFinal(error) || (isFirst && codeOf(error) === 'TOKEN_MISPLACED')
      // It is in the way of an identity that lies aside; without one a card is spared a new key at each try.
      if (isOver && (await lostKey(o.stateDir)) !== undefined) await dropShown(o.stateDir, way.shown)
      throw error
    } finally {
      isFirst = false
    }
  }).catch(async (error) => {
    if (isFinal(error)) await forgetTyped(o.stateDir)
    throw error
  })
  checkAnswer(given, ca, await heldKey(o.stateDir), address)
  // The address that was reached from here, whatever the controller calls itself.
  const identity: StoredIdentity = { v: 1, ...given, ca, enrol: { host: at.host, port: at.port } }
  await saveIdentity(o.stateDir, identity)
  await forgetWiped(o.stateDir)
  await forgetTyped(o.stateDir)
  return identity
}

const codeOf = (error: unknown): string => String((error as { code?: string }).code)
/** Whether the controller will never take this claim, or code, with this key. */
const isFinal = (error: unknown): boolean =>
  ['TOKEN_USED', 'TOKEN_EXPIRED', 'TOKEN_REJECTED', 'TOKEN_INVALID'].includes(codeOf(error))

/** Asks until an administrator decided. Once the box waits, a controller that is away for a while is no reason to give up. */
async function approved<T>({ wait, onStep }: EnrolOptions, ask: () => Promise<T>): Promise<T> {
  for (let waiting = false; ; ) {
    try {
      return await ask()
    } catch (error) {
      const { code } = error as { code?: string }
      if (!wait || !(code === 'WAITS_FOR_APPROVAL' || (waiting && unreachable.has(code ?? '')))) throw error
      if (!waiting) onStep?.(wordsOf(error))
      waiting = true
    }
    // Many boxes of one site may wait behind one address, and the controller bounds what comes from it.
    await wait.clock.sleep(waitMs * (0.5 + wait.random()), wait.signal)
  }
}

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
