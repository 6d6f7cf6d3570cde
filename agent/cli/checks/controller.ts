import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type PeerCertificate } from 'node:tls'
import { wordsOf } from '../../../shared/errors.ts'
import { readIfThere } from '../../../shared/files.ts'
import { certificateTrouble, type Identity, serverError } from '../../enrol/index.ts'
import type { Check, Outcome } from './check.ts'

const deadlineMs = 8_000
/** TLS 1.3 lets a server turn a certificate down only after the handshake: so long its alert is waited for. */
const alertMs = 700
/** A document from so far ahead means that this clock is behind. */
const clockSlackMs = 60_000

export const enrolment: Check = {
  name: 'enrolment',
  async run({ identity, clock }) {
    if (!identity)
      return {
        ok: false,
        detail: 'not enrolled',
        next: 'Run `marshlight-agent enrol --controller HOST:PORT --token TOKEN`.',
      }
    const trouble = certificateTrouble(identity, clock.now())
    if (trouble) return { ok: false, detail: trouble.message, next: trouble.next }
    return { ok: true, detail: `${identity.name} (${identity.agent}), ${identity.roles.join(', ')}` }
  },
}

export const clock: Check = {
  name: 'clock',
  async run({ clock: own, stateDir }) {
    const now = own.now()
    const signed = await newestSigned(join(stateDir, 'documents'))
    const shown = new Date(now).toISOString()
    const next = 'Set it: `timedatectl set-ntp true`, or `date -u -s`.'
    if (signed && signed - now > clockSlackMs) {
      const behind = Math.round((signed - now) / 1000)
      return { ok: false, detail: `${shown} is ${behind} s behind what the controller signed last`, next }
    }
    if (now < Date.parse('2026-01-01')) return { ok: false, detail: `${shown} cannot be`, next }
    return { ok: true, detail: `${shown}${signed ? ', behind nothing the controller signed' : ''}` }
  },
}

export const reach: Check = {
  name: 'controller',
  async run({ identity }) {
    if (!identity) return { ok: false, detail: 'unknown until enrolled', next: 'Enrol first.' }
    const { host, port } = identity.mqtt
    const address = `${host}:${port}`
    if (isIP(host) === 0) {
      const found = await lookup(host).catch(() => undefined)
      if (!found)
        return {
          ok: false,
          detail: `DNS knows no ${host}`,
          next: 'Check the resolver in /etc/resolv.conf, or the name.',
        }
    }
    const tcp = await answers(host, port)
    if (tcp)
      return {
        ok: false,
        detail: `TCP to ${address}: ${tcp}`,
        next: 'Check cable, route and firewall; is the controller running?',
      }
    return shakesHands(identity)
  },
}

function answers(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port })
    const end = (why?: string) => {
      socket.destroy()
      resolve(why)
    }
    socket.setTimeout(deadlineMs, () => end(`no answer within ${deadlineMs / 1000} s`))
    socket.once('connect', () => end())
    socket.once('error', (error) => end(wordsOf(error)))
  })
}

function shakesHands(identity: Identity): Promise<Outcome> {
  const { host, port } = identity.mqtt
  return new Promise((resolve) => {
    let secured = false
    const socket = connectTls({
      host,
      port,
      ca: identity.ca,
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.3',
      checkServerIdentity: (_host: string, certificate: PeerCertificate) => serverError(certificate),
    })
    const end = (outcome: Outcome) => {
      socket.destroy()
      resolve(outcome)
    }
    const refused = (why: string): Outcome =>
      secured
        ? {
            ok: false,
            detail: `the certificate was refused: ${why}`,
            next: 'Ask the administrator whether it was revoked; enrol again.',
          }
        : {
            ok: false,
            detail: `TLS: ${why}`,
            next: 'Is this the controller this agent enrolled with, and is the clock right?',
          }
    socket.setTimeout(deadlineMs, () => end(refused(`no answer within ${deadlineMs / 1000} s`)))
    socket.once('error', (error) => end(refused(wordsOf(error))))
    socket.once('close', () => end(refused('the connection was closed')))
    socket.once('secureConnect', () => {
      secured = true
      setTimeout(
        () => end({ ok: true, detail: `${host}:${port} answers, ${socket.getProtocol()}, both certificates are good` }),
        alertMs,
      )
    })
    // Without a reader, the alert that refuses the certificate is never seen.
    socket.resume()
  })
}

/** When the newest held document was signed, milliseconds. */
async function newestSigned(folder: string): Promise<number | undefined> {
  const times: number[] = []
  for (const name of ['plan.json', 'blocks.json']) {
    const text = await readIfThere(join(folder, name)).catch(() => undefined)
    try {
      if (text) times.push(Date.parse(JSON.parse(JSON.parse(text).body).issuedAt))
    } catch {
      // A damaged document is told when the agent starts.
    }
  }
  const good = times.filter(Number.isFinite)
  return good.length > 0 ? Math.max(...good) : undefined
}
