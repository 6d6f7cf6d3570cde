import { request } from 'node:https'
import { z } from 'zod'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { openTunnel } from '../../shared/proxy-tunnel.ts'
import { serverError } from './server-trust.ts'

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string().max(1024) }) })
const deadlineMs = 30_000
const answerBytes = 65_536

/** `proxy`: the HTTP proxy on the way, as http://HOST:PORT. */
export type Address = { host: string; port: number; proxy?: string | undefined }
type Trust = { ca: string; key?: string; cert?: string }
export type Answer = { status: number; json: unknown }

/**
 * Asks the enrolment server, whose certificate has to come from `trust.ca`; with a key and certificate, as their agent.
 * Throws CONTROLLER_UNREACHABLE where no answer comes.
 */
export async function askController(at: Address, trust: Trust, path: string, body: unknown): Promise<Answer> {
  const text = JSON.stringify(body)
  const { host, port, proxy } = at
  try {
    const socket = proxy === undefined ? undefined : await openTunnel(proxy, { host, port })
    const { status, received } = await new Promise<{ status: number; received: string }>((resolve, reject) => {
      const sent = request(
        {
          host,
          port,
          ...(socket && { socket }),
          ...trust,
          path,
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
          response.on('end', () => resolve({ status: response.statusCode ?? 0, received }))
        },
      )
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${deadlineMs / 1000} s`)))
      sent.on('error', reject)
      sent.end(text)
    })
    return { status, json: jsonOf(received) }
  } catch (error) {
    if (error instanceof MarshlightError) throw error
    const clock = /CERT_NOT_YET_VALID|CERT_HAS_EXPIRED/.test(String((error as NodeJS.ErrnoException).code))
    const why = `${wordsOf(error)}${clock ? '; is the clock of this machine right?' : ''}`
    throw new MarshlightError('CONTROLLER_UNREACHABLE', { address: addressOf(at), why }, { cause: error })
  }
}

/** The answer if it is one of `schema`. Throws what `refused` makes of a refusal, else CONTROLLER_UNREACHABLE. */
export function readAnswer<T>(
  at: Address,
  { status, json }: Answer,
  schema: z.ZodType<T>,
  refused: (code: string, message: string) => Error | undefined,
): T {
  const unusable = (why: string) => new MarshlightError('CONTROLLER_UNREACHABLE', { address: addressOf(at), why })
  if (status === 200) {
    const parsed = schema.safeParse(json)
    if (parsed.success) return parsed.data
    throw unusable(`its answer cannot be used: ${parsed.error.issues[0]?.path.join('.')}`)
  }
  const told = refusal.safeParse(json)
  if (!told.success) throw unusable(`it answered ${status}`)
  const { code, message } = told.data.error
  throw refused(code, message) ?? unusable(`it answered ${status}: ${message}`)
}

const addressOf = ({ host, port }: Address) => `${host}:${port}`

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
