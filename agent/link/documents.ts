import { createHash, type KeyObject } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import type { Log } from '../../shared/log.ts'
import { type BlockList, blockList, type Plan, plan } from '../../shared/schemas/desired-state.ts'
import type { DocumentState, Notice } from '../../shared/schemas/state.ts'
import { documentIn, signedBody } from '../../shared/signing.ts'
import type { Report } from '../spool/port.ts'

export type DocumentKind = 'plan' | 'blocks'
type DocumentOf = { plan: Plan; blocks: BlockList }
const schemas = { plan, blocks: blockList } as const

export type DocumentDeps = {
  folder: string
  agent: string
  signingKey: KeyObject
  clock: Clock
  log: Log
  report: Report
}

/**
 * Signed documents, last good one of each kind.
 *
 *   payload -> signature -> not the held one -> schema, agent, expiry -> revision rises -> written and fsynced -> held
 *                 any of these fails -> refused, told in stream `state`, the held one stays
 *
 * The broker gives the held one again at each connection: on a small processor its schema costs more than all else of it.
 * What was accepted in time stays in force past its expiry; it is verified again when loaded, but for its expiry.
 */
export class DocumentKeeper {
  readonly #deps: DocumentDeps
  readonly #held: { [K in DocumentKind]?: { document: DocumentOf[K]; hash: string } } = {}

  constructor(deps: DocumentDeps) {
    this.#deps = deps
  }

  get plan(): Plan | undefined {
    return this.#held.plan?.document
  }
  get blocks(): BlockList | undefined {
    return this.#held.blocks?.document
  }

  async load(): Promise<void> {
    await this.#loadOne('plan')
    await this.#loadOne('blocks')
  }

  /** The document if it is new and good, so that it shall take effect; undefined when refused or known. */
  async accept<K extends DocumentKind>(kind: K, payload: Buffer): Promise<DocumentOf[K] | undefined> {
    const { clock, log } = this.#deps
    let revision = 0
    try {
      const body = signedBody(payload, this.#expected())
      const hash = hashOf(body)
      const held = this.#held[kind]
      if (hash === held?.hash) return undefined
      const document = this.#documentIn(kind, body, clock.now())
      revision = document.revision
      if (held && revision <= held.document.revision)
        throw new MarshlightError('DOCUMENT_REPLAYED', { revision, document: kind, held: held.document.revision })
      await this.#persist(kind, payload)
      this.#hold(kind, document, hash)
      log.info({ document: kind, revision }, 'accepted')
      await this.#tell({ document: kind, revision, outcome: 'accepted' })
      return document
    } catch (error) {
      const known = error instanceof MarshlightError
      log.warn({ document: kind, revision, err: known ? undefined : error }, wordsOf(error))
      const code = known ? error.code : 'DOCUMENT_MALFORMED'
      await this.#tell({ document: kind, revision, outcome: 'refused', code, reason: wordsOf(error).slice(0, 512) })
      return undefined
    }
  }

  async #persist(kind: DocumentKind, payload: Buffer): Promise<void> {
    const path = this.#path(kind)
    try {
      await writeFileAtomic(path, payload)
    } catch (error) {
      const why = wordsOf(error)
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw new MarshlightError('DISK_FULL', { path })
      throw new MarshlightError('DISK_READ_ONLY', { path, why, option: '--state' }, { cause: error })
    }
  }

  async #loadOne(kind: DocumentKind): Promise<void> {
    const path = this.#path(kind)
    const text = await readIfThere(path)
    if (text === undefined) return
    try {
      const body = signedBody(text, this.#expected())
      this.#hold(kind, this.#documentIn(kind, body, 0), hashOf(body))
    } catch (error) {
      const aside = `${path}.corrupt-${this.#deps.clock.now()}`
      await rename(path, aside).catch(() => {})
      const told = new MarshlightError('STATE_CORRUPT', { path, aside, why: wordsOf(error) })
      this.#deps.log.error({ code: told.code }, told.message)
      const notice: Notice = {
        type: 'notice',
        at: isoNow(this.#deps.clock),
        level: 'error',
        code: told.code,
        message: told.message.slice(0, 1024),
        data: { document: kind, aside },
      }
      await this.#deps.report('state', [notice])
    }
  }

  #expected = () => ({ publicKey: this.#deps.signingKey, agent: this.#deps.agent })

  #documentIn = <K extends DocumentKind>(kind: K, body: string, now: number): DocumentOf[K] =>
    documentIn<Plan | BlockList>(body, schemas[kind], { agent: this.#deps.agent, now }) as DocumentOf[K]

  #hold<K extends DocumentKind>(kind: K, document: DocumentOf[K], hash: string): void {
    Object.assign(this.#held, { [kind]: { document, hash } })
  }

  #path = (kind: DocumentKind) => join(this.#deps.folder, `${kind}.json`)

  #tell(state: Omit<DocumentState, 'type' | 'at'>): Promise<void> {
    return this.#deps.report('state', [{ type: 'document', at: isoNow(this.#deps.clock), ...state }])
  }
}

/** Of the signed body: signing again the same document must not make it another. */
const hashOf = (body: string) => createHash('sha256').update(body).digest('hex')
