import { createHash } from 'node:crypto'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import { type BlockList, blockList, type Plan, plan } from '../../shared/schemas/desired-state.ts'
import type { Signed } from '../../shared/schemas/envelope.ts'
import { signDocument } from '../../shared/signing.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import type { Authority } from './authority.ts'

export type DocumentKind = 'plan' | 'blocks'
export type PlanContent = Pick<Plan, 'decoys' | 'personas' | 'scan' | 'neverBlock'> &
  Partial<Pick<Plan, 'observe' | 'update'>>
export type BlocksContent = Pick<BlockList, 'entries' | 'neverBlock'>

/** Who knows what goes into the documents, and who carries them. */
export type DesiredPorts = {
  composePlan(sql: Sql, agent: string): Promise<PlanContent>
  composeBlocks(sql: Sql, agent: string): Promise<BlocksContent>
  /** Publishes retained; resolves when the broker has it. */
  publish(agent: string, kind: DocumentKind, document: Signed): Promise<void>
  /** Told of what an agent shall have and cannot get: its document could not be made. */
  unmade?(agent: string, kind: DocumentKind, error: unknown): void
}

export type Desired = Part & {
  /** Composes anew for these agents; signs and publishes what changed. */
  refresh(kind: DocumentKind, agents: readonly string[] | 'all'): Promise<void>
  /**
   * Sends an agent's documents again, issued anew when half of their life is over, or above `held` when the agent holds
   * a higher revision than the database knows (one that was restored from a backup).
   */
  republish(agent: string, held?: Partial<Record<DocumentKind, number>>): Promise<void>
}

type Row = {
  agent: string
  kind: DocumentKind
  revision: number
  body: string
  sig: string
  issued_at: string
  content_hash: string
}

const lifeMs = 7 * 86_400_000
const kinds: readonly DocumentKind[] = ['plan', 'blocks']
const schemas = { plan, blocks: blockList } as const

/**
 * One document an agent and kind, in the database before it is on the wire. Invariants: a revision is given once;
 * it rises only when the content changed or the document has to be issued anew; documents of one kind are made one
 * batch at a time, so that a later state never gets an earlier revision.
 */
export function makeDesired(deps: Deps, authority: Authority, ports: DesiredPorts): Desired {
  const { store, bus, clock, log } = deps
  const offs: (() => void)[] = []
  const waiting: Record<DocumentKind, Set<string> | 'all' | undefined> = { plan: undefined, blocks: undefined }
  const running: Record<DocumentKind, Promise<void>> = { plan: Promise.resolve(), blocks: Promise.resolve() }

  const compose = (kind: DocumentKind, sql: Sql, agent: string) =>
    kind === 'plan' ? ports.composePlan(sql, agent) : ports.composeBlocks(sql, agent)

  function refresh(kind: DocumentKind, agents: readonly string[] | 'all'): Promise<void> {
    const already = waiting[kind]
    if (agents === 'all' || already === 'all') waiting[kind] = 'all'
    else waiting[kind] = new Set([...(already ?? []), ...agents])
    if (already !== undefined) return running[kind]
    running[kind] = running[kind].catch(() => undefined).then(() => pass(kind))
    return running[kind]
  }

  async function pass(kind: DocumentKind): Promise<void> {
    const asked = waiting[kind] ?? new Set<string>()
    waiting[kind] = undefined
    const changed = await store.tx(async (sql) => {
      const made: Row[] = []
      for (const agent of await enrolled(sql, asked)) {
        try {
          const content = await compose(kind, sql, agent)
          const held = await rowOf(sql, agent, kind)
          if (held?.content_hash === hashOf(content)) continue
          made.push(await issue(sql, agent, kind, content, (held?.revision ?? 0) + 1))
        } catch (error) {
          // One agent's plan that cannot be made must not keep a block from all others.
          unmade(agent, kind, error)
        }
      }
      return made
    })
    await publishAll(changed)
  }

  function unmade(agent: string, kind: DocumentKind, error: unknown): void {
    log.error({ agent, kind, why: wordsOf(error) }, 'a document could not be made; the last one stays in force')
    ports.unmade?.(agent, kind, error)
  }

  async function issue(sql: Sql, agent: string, kind: DocumentKind, content: object, revision: number): Promise<Row> {
    const issuedAt = isoNow(clock)
    const expiresAt = new Date(clock.now() + lifeMs).toISOString()
    const document = { kind, agent, revision, issuedAt, expiresAt, ...content }
    mustFit(kind, document)
    const { body, sig } = signDocument(document, authority.signingKey)
    const row = { agent, kind, revision, body, sig, issued_at: issuedAt, content_hash: hashOf(content) }
    await sql.run(
      `INSERT INTO desired (agent, kind, revision, body, sig, issued_at, expires_at, content_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (agent, kind) DO UPDATE SET revision = excluded.revision, body = excluded.body, sig = excluded.sig,
         issued_at = excluded.issued_at, expires_at = excluded.expires_at, content_hash = excluded.content_hash`,
      agent,
      kind,
      revision,
      body,
      sig,
      issuedAt,
      expiresAt,
      row.content_hash,
    )
    return row
  }

  async function republish(agent: string, held: Partial<Record<DocumentKind, number>> = {}): Promise<void> {
    const rows = await store.tx(async (sql) => {
      const out: Row[] = []
      for (const kind of kinds) {
        const row = await rowOf(sql, agent, kind)
        const above = held[kind] ?? 0
        if (row && row.revision >= above && !isOld(row, clock)) out.push(row)
        else
          try {
            const content = await compose(kind, sql, agent)
            out.push(await issue(sql, agent, kind, content, Math.max(row?.revision ?? 0, above) + 1))
          } catch (error) {
            if (!(error instanceof MarshlightError && error.code === 'DOCUMENT_UNSOUND')) throw error
            unmade(agent, kind, error)
            if (row) out.push(row)
          }
      }
      return out
    })
    await publishAll(rows)
  }

  async function publishAll(rows: readonly Row[]): Promise<void> {
    await Promise.all(rows.map(({ agent, kind, body, sig }) => ports.publish(agent, kind, { v: 1, body, sig })))
    for (const { agent, kind, revision } of rows) log.debug({ agent, kind, revision }, 'document published')
  }

  const failed = (error: unknown) => log.error({ why: wordsOf(error) }, 'a document could not be brought up to date')

  return {
    name: 'desired',
    refresh,
    republish,
    async start() {
      offs.push(bus.on('plan-changed', ({ agents }) => void refresh('plan', agents).catch(failed)))
      offs.push(bus.on('blocks-changed', () => void refresh('blocks', 'all').catch(failed)))
      for (const agent of await enrolled(store, 'all')) await republish(agent)
    },
    async stop() {
      for (const off of offs.splice(0)) off()
      await Promise.allSettled(Object.values(running))
    },
  }
}

/** An agent refuses what does not fit, and goes on with the old one: that has to be seen here. Throws DOCUMENT_UNSOUND. */
function mustFit(kind: DocumentKind, document: object): void {
  const [issue] = schemas[kind].safeParse(document).error?.issues ?? []
  if (!issue) return
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    document,
  )
  throw new MarshlightError('DOCUMENT_UNSOUND', {
    document: kind,
    path: issue.path.join('.'),
    value: Array.isArray(value) ? `a list of ${value.length}` : (JSON.stringify(value)?.slice(0, 100) ?? 'missing'),
    why: issue.message,
  })
}

async function enrolled(sql: Sql, asked: ReadonlySet<string> | 'all'): Promise<string[]> {
  const rows = await sql.all<{ id: string }>("SELECT id FROM agents WHERE status = 'enrolled' ORDER BY id")
  return rows.map(({ id }) => id).filter((id) => asked === 'all' || asked.has(id))
}

const rowOf = (sql: Sql, agent: string, kind: DocumentKind) =>
  sql.get<Row>('SELECT * FROM desired WHERE agent = ? AND kind = ?', agent, kind)

const isOld = (row: Row, clock: Clock) => clock.now() - Date.parse(row.issued_at) > lifeMs / 2
const hashOf = (content: object) => createHash('sha256').update(JSON.stringify(content)).digest('hex')
