import type { KeyObject } from 'node:crypto'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { type Reply, type Request, request } from '../../shared/schemas/desired-state.ts'
import { verifyDocument } from '../../shared/signing.ts'
import type { Report } from '../spool/port.ts'
import type { LinkHandlers } from './port.ts'

export type RequestDeps = {
  agent: string
  signingKey: KeyObject
  clock: Clock
  log: Log
  report: Report
  /** Resolves when the reply is on its way, or the request has expired. */
  send: (reply: Reply, expiresAt: number) => void
  answer: LinkHandlers['onRequest']
}

const remembered = 1000

/** One-shot requests: verified, not expired, done once each however often they are delivered, answered once. */
export class RequestDesk {
  readonly #deps: RequestDeps
  /** Ids already taken on, with their expiry, milliseconds. */
  readonly #seen = new Map<string, number>()

  constructor(deps: RequestDeps) {
    this.#deps = deps
  }

  async take(payload: Buffer): Promise<void> {
    const { clock, log } = this.#deps
    const now = clock.now()
    let asked: Request
    try {
      asked = verifyDocument(payload, request, {
        publicKey: this.#deps.signingKey,
        agent: this.#deps.agent,
        now,
      })
    } catch (error) {
      await this.#refuse(error)
      return
    }
    if (this.#seen.has(asked.id)) return
    this.#remember(asked, now)
    log.info({ request: asked.id, op: asked.op.name }, 'request')
    const outcome = await this.#answer(asked)
    this.#deps.send({ id: asked.id, at: isoNow(clock), ...outcome }, Date.parse(asked.expiresAt))
  }

  async #answer(asked: Request): Promise<Pick<Reply, 'ok' | 'result' | 'error'>> {
    try {
      return await this.#deps.answer(asked)
    } catch (error) {
      const code = error instanceof MarshlightError ? error.code : 'COMMAND_FAILED'
      this.#deps.log.warn({ request: asked.id, op: asked.op.name, err: error }, 'request failed')
      return { ok: false, error: { code, message: wordsOf(error).slice(0, 1024) } }
    }
  }

  #remember(asked: Request, now: number): void {
    this.#seen.set(asked.id, Date.parse(asked.expiresAt))
    if (this.#seen.size <= remembered) return
    // An expired one is refused anyway; of the others the oldest go, so that memory stays bounded.
    for (const [id, expiresAt] of this.#seen) if (expiresAt <= now) this.#seen.delete(id)
    for (const id of this.#seen.keys()) {
      if (this.#seen.size <= remembered) break
      this.#seen.delete(id)
    }
  }

  async #refuse(error: unknown): Promise<void> {
    const code = error instanceof MarshlightError ? error.code : 'DOCUMENT_MALFORMED'
    this.#deps.log.warn({ code }, `a request was refused: ${wordsOf(error)}`)
    await this.#deps.report('state', [
      {
        type: 'notice',
        at: isoNow(this.#deps.clock),
        level: 'warning',
        code,
        message: `a request was refused: ${wordsOf(error)}`.slice(0, 1024),
      },
    ])
  }
}
