import { createHmac } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { retryDelay } from '../../shared/retry.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { ControllerConfig } from '../config.ts'
import type { Deps } from '../deps.ts'

type Webhook = ControllerConfig['alerts']['webhooks'][number]
type Outgoing = { id: string; alert: string; payload: string; attempts: number }

const timeoutMs = 10_000
const longestWaitMs = 60_000
const backoff = { firstMs: 1000, capMs: 300_000 }
/** With the cap of five minutes, about two days. */
const mostAttempts = 600

/** `t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>`, so that neither body nor time can be changed. */
export function signatureOf(secret: string, body: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1000)
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`
}

/**
 * Sends what is in the outbox of one webhook: at least once, each with an id by which the receiver knows a second
 * delivery, retried with a growing delay, across restarts.
 */
export function makeWebhook(webhook: Webhook, deps: Pick<Deps, 'store' | 'bus' | 'clock' | 'random' | 'log'>): Part {
  const { store, bus, clock, random, log } = deps

  async function drain(signal: AbortSignal): Promise<void> {
    const due = await store.all<Outgoing>(
      `SELECT id, alert, payload, attempts FROM alert_outbox WHERE channel = ? AND status = 'pending' AND next_at <= ?
       ORDER BY created_at, id LIMIT 50`,
      webhook.name,
      isoNow(clock),
    )
    for (const outgoing of due) {
      if (signal.aborted) return
      await deliver(outgoing, signal)
    }
  }

  async function deliver(outgoing: Outgoing, signal: AbortSignal): Promise<void> {
    const attempts = outgoing.attempts + 1
    try {
      await post(webhook, outgoing, clock.now(), signal)
      await store.run(
        `UPDATE alert_outbox SET status = 'sent', attempts = ?, sent_at = ?, last_error = NULL WHERE id = ?`,
        attempts,
        isoNow(clock),
        outgoing.id,
      )
    } catch (error) {
      if (signal.aborted) return
      const delayMs = retryDelay(attempts, { ...backoff, random })
      log.warn(
        { webhook: webhook.name, alert: outgoing.alert, attempts, delayMs, why: wordsOf(error) },
        'an alert was not taken',
      )
      await store.run(
        `UPDATE alert_outbox SET status = ?, attempts = ?, next_at = ?, last_error = ? WHERE id = ?`,
        attempts >= mostAttempts ? 'failed' : 'pending',
        attempts,
        new Date(clock.now() + delayMs).toISOString(),
        wordsOf(error).slice(0, 500),
        outgoing.id,
      )
    }
  }

  return makeRounds({
    name: `webhook ${webhook.name}`,
    clock,
    log,
    failure: 'the outbox stopped short',
    afterFailureMs: 1000,
    listen: (wake) => bus.on('alert', wake),
    async round(signal) {
      await drain(signal)
      const next = await store.get<{ at: string | null }>(
        `SELECT MIN(next_at) AS at FROM alert_outbox WHERE channel = ? AND status = 'pending'`,
        webhook.name,
      )
      return Math.min(next?.at ? Math.max(50, Date.parse(next.at) - clock.now()) : longestWaitMs, longestWaitMs)
    },
  })
}

async function post(webhook: Webhook, outgoing: Outgoing, nowMs: number, signal: AbortSignal): Promise<void> {
  const secret = await readSecret(webhook.secretFile)
  const body = JSON.stringify({
    id: outgoing.id,
    sentAt: new Date(nowMs).toISOString(),
    alert: JSON.parse(outgoing.payload),
  })
  const response = await fetch(webhook.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'marshlight',
      'x-marshlight-id': outgoing.id,
      'x-marshlight-signature': signatureOf(secret, body, nowMs),
    },
    body,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`it answered ${response.status}`)
}

/** The secret in `file`. Throws RIGHTS_MISSING when others than its owner may read it. */
async function readSecret(file: string): Promise<string> {
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0)
    throw new MarshlightError('RIGHTS_MISSING', {
      what: `the secret in ${file}`,
      right: 'mode 0600',
      next: `Run \`chmod 600 ${file}\`.`,
    })
  return (await readFile(file, 'utf8')).trim()
}
