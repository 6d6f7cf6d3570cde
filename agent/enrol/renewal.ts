import { createHash, X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import { makeRounds } from '../../shared/rounds.ts'
import { renewAnswer } from '../../shared/schemas/enrolment.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import { askController, readAnswer } from './ask.ts'
import { enrolAddress, type Identity, isOwnCertificate, serialOf } from './identity.ts'
import { beginRenewal, dropRenewal, keepCertificate, loadRenewal, putInForce } from './kept-renewal.ts'

/** What a connection shows, and is told of it. */
export type Credentials = {
  current(): Identity
  /** The controller took what was shown: what `current` gave when the connection was begun. */
  taken(shown: Identity): Promise<void>
  /** The controller turned it down. */
  refused(shown: Identity): Promise<void>
}
export type RenewalStanding = { expiresAt: string; renewsAt: string; waitsForUse: boolean; lastError?: string }
export type Renewal = Part & Credentials & { standing(): RenewalStanding }

export type RenewalDeps = {
  stateDir: string
  identity: Identity
  clock: Clock
  random: Random
  log: Log
  /** The HTTP proxy on the way to the controller. */
  proxy?: string | undefined
  /** Of this box: by it the controller knows it after the certificate's end. */
  hardware?: Hardware
  /** Ends the connection, so that the next one shows the new certificate. */
  reconnect(): void
}

/** The clock may leap, so it is looked at this often. */
const lookMs = 3_600_000
/** Somebody may stand before it. */
const approvalMs = 120_000
const retryMs = { firstMs: 60_000, capMs: 3_600_000 }

/**
 * When a certificate is to be renewed, milliseconds since 1970: with 25 to 35 % of its life left. Where in between
 * follows from the certificate itself, so that a fleet that enrolled in one hour does not renew in one, and a restart
 * changes nothing.
 */
export function renewalDue(certificate: string): number {
  const { raw, validFrom, validTo } = new X509Certificate(certificate)
  const share = createHash('sha256').update(raw).digest().readUInt32BE(0) / 2 ** 32
  const to = Date.parse(validTo)
  return Math.round(to - (to - Date.parse(validFrom)) * (0.25 + 0.1 * share))
}

/**
 * Renews this agent's certificate, by a new key, before it expires.
 *
 *   held ... due -> ask (with the held one) -> given -> the next connection shows it -> taken -> held
 *                                                              refused -> the held one again, by turns
 *
 * The controller lets the held one in until the given one was used; see kept-renewal.ts for what is on disk when.
 */
export function makeRenewal({ stateDir, clock, random, log, reconnect, ...deps }: RenewalDeps): Renewal {
  let held = deps.identity
  let given: Identity | undefined
  /** Both are good, or the given one is not: then they take turns. */
  let showGiven = true
  let failures = 0
  let lastError: string | undefined

  const onUnsealed = (error: unknown): void =>
    log.warn({ why: wordsOf(error) }, 'the TPM does not hold the new key, which lies in a file')

  const current = () => (given && showGiven ? given : held)

  async function ask(): Promise<Identity> {
    const under = await loadRenewal(stateDir, held)
    const asked = under ?? (await beginRenewal(stateDir, onUnsealed))
    const at = { ...enrolAddress(held), proxy: deps.proxy }
    const trust = { ca: held.ca, key: held.key, cert: held.certificate }
    const answer = await askController(at, trust, '/v1/renew', {
      csr: asked.csr,
      hostname: hostname(),
      ...(deps.hardware && { hardware: deps.hardware }),
    })
    const { certificate } = readAnswer(at, answer, renewAnswer, (code, why) => {
      if (code === 'CERTIFICATE_REFUSED') return new MarshlightError(code, { why })
      return code === 'WAITS_FOR_APPROVAL'
        ? new MarshlightError(code, { id: /token (\S+)\)/.exec(why)?.[1] })
        : undefined
    })
    const renewed = { ...held, certificate, key: asked.key }
    if (!isOwnCertificate(certificate, renewed))
      throw new MarshlightError('CERTIFICATE_REFUSED', { why: 'the controller gave one that is not this agent’s' })
    await keepCertificate(stateDir, asked, certificate, onUnsealed)
    return renewed
  }

  async function round(): Promise<number> {
    if (given) return lookMs
    const untilDue = renewalDue(held.certificate) - clock.now()
    if (untilDue > 0) return Math.min(untilDue, lookMs)
    try {
      given = await ask()
    } catch (error) {
      failures++
      lastError = wordsOf(error)
      const waits = (error as { code?: string }).code === 'WAITS_FOR_APPROVAL'
      const retryInMs = retryDelay(failures, { ...retryMs, ...(waits && { capMs: approvalMs }), random })
      log.warn({ code: (error as { code?: string }).code, retryInMs }, `the certificate was not renewed: ${lastError}`)
      return retryInMs
    }
    failures = 0
    lastError = undefined
    showGiven = true
    log.info({ serial: serialOf(given.certificate) }, 'a new certificate came; connecting with it')
    reconnect()
    return lookMs
  }

  const rounds = makeRounds({
    name: 'renewal',
    clock,
    log,
    round,
    failure: 'the renewal failed; it is tried again',
    afterFailureMs: retryMs.firstMs,
  })

  return {
    ...rounds,
    async start(signal) {
      const under = await loadRenewal(stateDir, held).catch((error: unknown) => {
        log.warn({ why: wordsOf(error) }, 'a renewal that is under way cannot be read now; the held certificate serves')
        return undefined
      })
      if (under?.certificate) given = { ...held, certificate: under.certificate, key: under.key }
      await rounds.start(signal)
    },
    current,
    async taken(shown) {
      if (!given) return
      const isGiven = shown.certificate === given.certificate
      // It was begun before there was a new one: it says nothing of that.
      if (!isGiven && showGiven) return
      try {
        if (isGiven) {
          held = await putInForce(stateDir, given, onUnsealed)
          log.info({ serial: serialOf(held.certificate) }, 'the certificate was renewed')
        } else {
          // A controller that was restored from a backup does not know what it gave.
          await dropRenewal(stateDir, held)
          log.warn('the controller does not know the certificate it gave; another is asked for')
          rounds.wake()
        }
        given = undefined
        showGiven = true
      } catch (error) {
        // What stands on disk still leads to the pair that was taken, and the next connection comes here again.
        log.error({ why: wordsOf(error) }, 'the renewed certificate could not be put in its place')
      }
    },
    async refused(shown) {
      if (given) showGiven = shown.certificate !== given.certificate
    },
    standing: () => ({
      expiresAt: new Date(new X509Certificate(held.certificate).validTo).toISOString(),
      renewsAt: new Date(renewalDue(held.certificate)).toISOString(),
      waitsForUse: given !== undefined,
      ...(lastError !== undefined && { lastError }),
    }),
  }
}
