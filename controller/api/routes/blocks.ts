import { z } from 'zod'
import { cidr4, ipv4 } from '../../../shared/schemas/common.ts'
import { mostBlockMinutes } from '../../config/judgement.ts'
import { makeDecoyActions, makeUndo } from '../../decoys/index.ts'
import {
  enforcementOf,
  findDecision,
  listDecisions,
  makeBlocks,
  undoDecision,
  unenforcedOf,
} from '../../response/index.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import type { Routes } from '../port.ts'

const statuses = z.enum(['active', 'proposed', 'expired', 'undone', 'refused'])
const listQuery = z.object({
  kind: z.enum(['block', 'deploy', 'reconfigure', 'all']).default('block'),
  status: statuses.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
})
const blockBody = z.strictObject({
  cidr: z.union([cidr4, ipv4.transform((ip) => `${ip}/32`)]),
  minutes: z.number().min(1).max(mostBlockMinutes).optional(),
  reason: z.string().min(1).max(256),
})
type ByKey = { Params: { key: string } }

export const blockRoutes: Routes = (app, deps) => {
  const { store, bus, clock, config } = deps
  const blocks = makeBlocks(deps)
  const ports = makeUndo(makeDecoyActions(deps))

  app.get('/v1/blocks', async (request) => {
    const { kind, status, limit } = check(listQuery, request.query)
    return { items: await listDecisions(store, { kind: kind === 'all' ? undefined : kind, status, limit }) }
  })

  app.get<ByKey>('/v1/blocks/:key', async (request) => {
    const decision = await findDecision(store, decodeURIComponent(request.params.key))
    const enforcement = await enforcementOf(store, decision.id)
    return {
      ...decision,
      evidence: JSON.parse(decision.evidence) as unknown,
      enforcement: enforcement.map((one) => ({
        ...one,
        latencyMs: Date.parse(one.enforced_at) - Date.parse(one.decided_at),
      })),
      unenforced: decision.status === 'active' ? await unenforcedOf(store, decision.id) : [],
    }
  })

  app.post('/v1/blocks', async (request) => {
    const body = check(blockBody, request.body)
    const wish = {
      cidr: body.cidr,
      minutes: body.minutes ?? config.risk.blockMinutes,
      reason: body.reason,
      madeBy: 'admin' as const,
      ...(body.cidr.endsWith('/32') && { source: body.cidr.slice(0, -3) }),
    }
    if (isDryRun(request.query)) return blocks.block(store, wish, true)
    const result = await store.tx((sql) => blocks.block(sql, wish))
    bus.emit({ name: 'blocks-changed' })
    return result
  })

  app.post<ByKey>('/v1/blocks/:key/accept', async (request) => {
    const dry = isDryRun(request.query)
    const result = await changeOrTry(store, dry, async (sql) =>
      blocks.accept(sql, await findDecision(sql, decodeURIComponent(request.params.key))),
    )
    if (!dry) bus.emit({ name: 'blocks-changed' })
    return result
  })

  app.delete<ByKey>('/v1/blocks/:key', async (request) => {
    const dryRun = isDryRun(request.query)
    const how = { status: 'undone', why: 'by an administrator', by: 'admin' } as const
    const { before, after, what, events } = await changeOrTry(store, dryRun, async (sql) => {
      const decision = await findDecision(sql, decodeURIComponent(request.params.key))
      const ended = await undoDecision(sql, { ports, clock }, decision, how)
      return { before: decision, after: await findDecision(sql, decision.id), ...ended }
    })
    if (!dryRun) for (const event of events) bus.emit(event)
    return { ...(dryRun ? before : after), what }
  })
}
