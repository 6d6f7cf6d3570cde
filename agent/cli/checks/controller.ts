import { lookup } from 'node:dns/promises'
import { connect, type Socket } from 'node:net'
import { MarshlightError, wordsOf } from '../../../shared/errors.ts'
import { openTunnel } from '../../../shared/proxy-tunnel.ts'
import { certificateTrouble, fetchPinnedCa, lostKey, readWiped } from '../../enrol/index.ts'
import { type Check, type CheckContext, firstHop, type Outcome, usualMs } from './check.ts'
import { type Shake, shakeHands } from './handshake.ts'
import { loginPageAt } from './login-page.ts'

const [tcpMs, tlsMs] = [6000, 6000]

export const enrolment: Check = {
  name: 'enrolment',
  rests: ['clock'],
  withinMs: usualMs,
  async run({ identity, shut, claim, clock, stateDir }) {
    if (!identity && claim) return { ok: true, detail: `not yet: it has a claim for ${claim.host}:${claim.port}` }
    const wiped = identity ? undefined : await readWiped(stateDir)
    if (wiped) {
      const { message, next } = new MarshlightError('WIPED', { at: wiped.at, reason: wiped.reason })
      return { ok: false, detail: message, next }
    }
    const lost = identity ? undefined : (shut ?? (await lostKey(stateDir)))
    if (lost) return { ok: false, detail: lost.message, next: lost.next }
    if (!identity)
      return {
        ok: false,
        detail: 'this box does not belong to a controller yet',
        next: 'Run `marshlight-agent enrol --controller HOST:PORT --token-file FILE`.',
      }
    const trouble = certificateTrouble(identity, clock.now())
    if (trouble) return { ok: trouble.code === 'CERTIFICATE_EXPIRING', detail: trouble.message, next: trouble.next }
    return { ok: true, detail: `${identity.name} (${identity.agent}), ${identity.roles.join(', ')}` }
  },
}

/** How far the way to the controller was open: DNS, TCP, proxy, TLS, certificate, claim. */
export const reach: Check = {
  name: 'controller',
  rests: ['enrolment', 'cable', 'address', 'gateway', 'name lookup', 'clock'],
  withinMs: 25_000,
  async run(context, signal) {
    const { identity, claim, config } = context
    const { host, port } = identity?.mqtt ?? claim ?? {}
    if (host === undefined || port === undefined)
      return {
        ok: false,
        step: 'claim',
        detail: 'cannot be tried before this box is enrolled',
        next: 'Enrol it first.',
      }
    const hop = firstHop(context) ?? { host, port }
    const found = await lookup(hop.host).catch(() => undefined)
    if (!found)
      return failed(
        'DNS',
        `no name server knows ${hop.host}`,
        'Ask whoever runs this network to have its name server know it.',
      )
    const closed = await answers(found.address, hop.port, signal)
    const page = (at: number) => (config.proxy === undefined ? loginPageAt(host, at, signal) : undefined)
    if (closed !== undefined) return judgeTcp(`${hop.host}:${hop.port}`, closed, await page(80))
    const proxied = config.proxy === undefined ? undefined : await throughProxy(config.proxy, { host, port }, signal)
    if (proxied instanceof MarshlightError) return failed('proxy', proxied.message, proxied.next)
    if (!identity) return judgePin(`${host}:${port}`, await pinShown(context, proxied), await page(port))
    const shake = await shakeHands(identity, tlsMs, signal, proxied)
    const instead = shake.end === 'open' ? undefined : ((await page(port)) ?? (await page(80)))
    return judgeShake(`${host}:${port}`, shake, instead)
  },
}

const failed = (step: string, detail: string, next: string): Outcome => ({
  ok: false,
  step,
  detail: `${step}: ${detail}`,
  next,
})

const loginWanted = (step: string, page: string): Outcome =>
  failed(
    step,
    `this network wants a log-in first: a web page answers in the controller's place (${page})`,
    'Ask whoever runs this network to let this box through without a log-in.',
  )

export function judgeTcp(address: string, code: string, page: string | undefined): Outcome {
  if (page !== undefined) return loginWanted('TCP', page)
  if (code === 'ECONNREFUSED')
    return failed(
      'TCP',
      `${address} turns this box away: nothing listens there, or a firewall refuses it`,
      'Ask the administrator whether the controller runs, and whether its address is right.',
    )
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH')
    return failed('TCP', `no way leads to ${address}`, 'Ask whoever runs this network for the way out of it (gateway).')
  return failed(
    'TCP',
    `${address} does not answer (${code})`,
    `Ask whoever runs the firewall to allow this box to ${address} (TCP).`,
  )
}

export function judgeShake(address: string, shake: Shake, page: string | undefined): Outcome {
  if (shake.end === 'open')
    return { ok: true, detail: `${address} answers, ${shake.protocol}, and each side trusts the other` }
  if (page !== undefined) return loginWanted('TLS', page)
  if (shake.end === 'before')
    return failed(
      'TLS',
      `${address} answers, but not as a controller does (${shake.code})`,
      'Ask the administrator whether that address is right; ask whoever runs the firewall whether it meddles with TLS.',
    )
  if (shake.end === 'refused')
    return failed(
      'claim',
      `the controller does not take this box (${shake.code}): it was removed, or replaced`,
      'Ask the administrator for a new invitation and enrol this box again.',
    )
  if (shake.code === 'CERT_NOT_YET_VALID')
    return failed(
      'certificate',
      `the controller's is good from ${shake.from} on, and this box's clock is before that`,
      'Set the clock of this box: `timedatectl set-ntp true`.',
    )
  if (shake.code === 'CERT_HAS_EXPIRED')
    return failed(
      'certificate',
      `the controller's ended at ${shake.until}`,
      'If the clock of this box is right, ask the administrator to renew it.',
    )
  return failed(
    'certificate',
    `another than this box's controller answers at ${address}: its certificate is by ${shake.issuer} (${shake.code})`,
    'Ask whoever runs the firewall not to open TLS of this box; ask the administrator whether the address is right.',
  )
}

const throughProxy = (proxy: string, to: { host: string; port: number }, signal: AbortSignal) =>
  openTunnel(proxy, to, signal).catch((error): Socket | MarshlightError => error)

/** Before this box has a certificate: whether the CA is shown there that its claim names. */
async function pinShown({ claim, config }: CheckContext, tunnel: Socket | undefined): Promise<unknown> {
  tunnel?.destroy()
  if (!claim) return undefined
  const at = { host: claim.host, port: claim.port, proxy: config.proxy }
  return fetchPinnedCa(at, claim.ca).then(
    () => undefined,
    (error) => error,
  )
}

export function judgePin(address: string, error: unknown, page: string | undefined): Outcome {
  if (error === undefined) return { ok: true, detail: `${address} answers, and is the controller of this box's claim` }
  if (page !== undefined) return loginWanted('TLS', page)
  if ((error as { code?: string }).code === 'CA_MISMATCH')
    return failed(
      'certificate',
      `another answers at ${address} than the controller that this box's claim names`,
      'Ask whoever runs the firewall not to open TLS of this box; ask the administrator whether the address is right.',
    )
  return failed(
    'TLS',
    `${address} answers, but not as a controller does (${wordsOf(error)})`,
    'Ask the administrator whether that address is right; ask whoever runs the firewall whether it meddles with TLS.',
  )
}

/** Undefined where it takes a connection, else the system's code for why not. */
function answers(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal })
    const end = (code?: string) => {
      socket.destroy()
      resolve(code)
    }
    socket.setTimeout(tcpMs, () => end('ETIMEDOUT'))
    socket.once('connect', () => end())
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}
