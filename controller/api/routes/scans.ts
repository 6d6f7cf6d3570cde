import { z } from 'zod'
import { MarshlightError } from '../../../shared/errors.ts'
import { cidr4 } from '../../../shared/schemas/common.ts'
import type { Request } from '../../../shared/schemas/desired-state.ts'
import { listScans, listSegments, type Scan, type Segment } from '../../segments/index.ts'
import { check, isDryRun } from '../body.ts'
import { oneOf } from '../one-of.ts'
import type { ApiDeps, Routes } from '../port.ts'
import { segmentFor } from './segments.ts'

const target = { segment: z.string().min(1).optional(), agent: z.string().min(1).optional() }
const wish = z.strictObject({
  ...target,
  cidr: cidr4.optional(),
  phase: z.enum(['quick', 'detail', 'all']).default('all'),
})

/** One scan with its passes, in the order they ran. */
export type ShownScan = Pick<Scan, 'id' | 'agent' | 'segment' | 'cidr' | 'request'> & {
  passes: Pick<Scan, 'phase' | 'outcome' | 'startedAt' | 'finishedAt' | 'targets' | 'hostsUp' | 'reason'>[]
}
const mostScans = 1000

/** `key`: an id, its beginning, or a segment's name for the newest there. `all` is newest first. */
function shownScan(all: readonly Scan[], key: string): ShownScan {
  const ids = [...new Set(all.map(({ id }) => id))]
  const newest = all.find(({ segment }) => segment === key)
  const id = newest?.id ?? oneOf(ids, key, 'scan', (one) => ({ id: one, names: [] }), 'marshlight scans ls')
  const passes = all.filter((one) => one.id === id).toReversed()
  const [first] = passes
  if (!first) throw new MarshlightError('NOT_FOUND', { kind: 'scan', value: key, command: 'marshlight scans ls' })
  const { agent, segment, cidr, request } = first
  return {
    ...{ id, agent, segment, cidr, ...(request !== undefined && { request }) },
    passes: passes.map(
      ({ id: _id, agent: _agent, segment: _segment, cidr: _cidr, request: _request, ...pass }) => pass,
    ),
  }
}

export type ScanAnswer = { agent: string; segments: string[]; ok: boolean; message: string }

export const scanRoutes: Routes = (app, deps) => {
  const { store } = deps
  app.get('/v1/scans', async ({ query }) => {
    const { segment, limit } = check(
      z.object({ segment: z.string().optional(), limit: z.coerce.number().int().min(1).max(1000).default(20) }),
      query,
    )
    const of = segment === undefined ? undefined : (await segmentFor(store, segment)).id
    return { items: await listScans(store, limit, of) }
  })
  app.get<{ Params: { scan: string } }>('/v1/scans/:scan', async ({ params }) =>
    shownScan(await listScans(store, mostScans), params.scan),
  )
  app.post('/v1/scans', async ({ body, query }) => {
    const { cidr, phase, ...where } = check(wish, body)
    return ask(deps, where, { name: 'scan', phase, ...(cidr !== undefined && { cidr }) }, isDryRun(query))
  })
  app.post('/v1/scans/cancel', async ({ body, query }) =>
    ask(deps, check(z.strictObject(target), body), { name: 'scan.cancel' }, isDryRun(query)),
  )
}

type ScanOp = Extract<Request['op'], { name: 'scan' | 'scan.cancel' }>
type Where = { segment?: string | undefined; agent?: string | undefined }

/** Asks each appliance that is meant and tells what each answered; one that does not answer does not hide the others. */
async function ask(
  deps: ApiDeps,
  where: Where,
  op: ScanOp,
  dry: boolean,
): Promise<{ items: ScanAnswer[]; dryRun: boolean }> {
  const { requests } = deps
  const meant = await appliancesOf(deps, where)
  if (meant.length === 0)
    throw new MarshlightError('CONFLICT', {
      what: 'no appliance there is online',
      next: 'See `marshlight agents ls`.',
    })
  const ops = meant.map(({ id, name, segments }) => ({
    id,
    name,
    segments: segments.map((segment) => segment.name),
    // What is meant for one segment must not wander to the other cards of the appliance.
    op: where.segment !== undefined && op.cidr === undefined ? withCidr(op, segments) : op,
  }))
  const items = await Promise.all(
    ops.map(async ({ id, name, segments, op: own }): Promise<ScanAnswer> => {
      if (dry) return { agent: name, segments, ok: true, message: 'would be asked' }
      try {
        const reply = await requests.send(id, own)
        return { agent: name, segments, ok: reply.ok, message: reply.error?.message ?? 'done' }
      } catch (error) {
        if (!(error instanceof MarshlightError)) throw error
        return { agent: name, segments, ok: false, message: error.message }
      }
    }),
  )
  return { items, dryRun: dry }
}

function withCidr(op: ScanOp, segments: readonly Segment[]): ScanOp {
  const cidr = segments[0]?.cidr
  return cidr === undefined ? op : { ...op, cidr }
}

type Appliance = { id: string; name: string; segments: Segment[] }

async function appliancesOf({ store }: ApiDeps, { segment, agent }: Where): Promise<Appliance[]> {
  const segments = segment === undefined ? await listSegments(store) : [await segmentFor(store, segment)]
  const found = new Map<string, Appliance>()
  for (const one of segments)
    for (const { id, name, presence } of one.agents) {
      const known = found.get(id)
      if (known) known.segments.push(one)
      else if (presence === 'online') found.set(id, { id, name, segments: [one] })
    }
  const all = [...found.values()]
  if (agent === undefined) return all
  return [oneOf(all, agent, 'online appliance', ({ id, name }) => ({ id, names: [name] }), 'marshlight agents ls')]
}
