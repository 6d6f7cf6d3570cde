import { z } from 'zod'
import { type LastLook, lastLooks } from '../../audit/index.ts'
import {
  actionsOf,
  type Decoy,
  type Done,
  listDecoys,
  makeDecoyActions,
  phaseOf,
  phasesOf,
} from '../../decoys/index.ts'
import { readPersona } from '../../personas/index.ts'
import { listSegments } from '../../segments/index.ts'
import type { Sql } from '../../store/port.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import { oneOf } from '../one-of.ts'
import type { Routes } from '../port.ts'
import { segmentFor } from './segments.ts'

const reason = z.string().min(1).max(300).default('an administrator asked for it')

export const decoyRoutes: Routes = (app, deps) => {
  const { store, bus } = deps
  const actions = makeDecoyActions(deps)

  /** Does it, or only tries it; the agent's plan changes after the commit. */
  async function change(query: unknown, work: (sql: Sql) => Promise<Done>): Promise<Done & { dryRun: boolean }> {
    await actions.warm()
    const dryRun = isDryRun(query)
    const done = await changeOrTry(store, dryRun, work)
    if (!dryRun) bus.emit({ name: 'plan-changed', agents: [done.agent] })
    return { ...done, dryRun }
  }

  app.get('/v1/decoys', async ({ query }) => {
    const { segment, retired } = check(
      z.object({ segment: z.string().optional(), retired: z.enum(['0', '1']).default('0') }),
      query,
    )
    const only = segment === undefined ? undefined : (await segmentFor(store, segment)).id
    const shown = await shownDecoys(store, retired === '1')
    return { items: shown.filter((decoy) => only === undefined || decoy.segment === only) }
  })
  app.get('/v1/decoys/:ref', async ({ params }) => {
    const decoy = await decoyFor(store, refOf(params))
    const persona = await readPersona(store, decoy.persona, decoy.personaVersion)
    return {
      ...decoy,
      system: persona?.os.prettyName,
      ssh: persona?.ssh?.banner,
      telnet: persona?.telnet !== undefined,
      phases: await phasesOf(store, decoy.id),
      actions: await actionsOf(store, decoy.id),
    }
  })
  app.post('/v1/decoys', async ({ body, query }) => {
    const wish = check(
      z.strictObject({ segment: z.string().min(1), family: z.string().max(64).optional(), reason }),
      body,
    )
    const segment = await segmentFor(store, wish.segment)
    return change(query, (sql) => actions.deployOne(sql, segment.id, wish.reason, { by: 'admin', family: wish.family }))
  })
  for (const verb of ['reconfigure', 'move', 'retire', 'release'] as const)
    app.post(`/v1/decoys/:ref/${verb}`, async ({ params, body, query }) => {
      const { id } = await decoyFor(store, refOf(params))
      const why = check(z.strictObject({ reason }), body).reason
      return change(query, (sql) => actions[verb](sql, id, why, 'admin'))
    })
}

const refOf = (params: unknown) => check(z.object({ ref: z.string().min(1).max(200) }), params).ref

export type ShownDecoy = Decoy & {
  segmentName?: string
  agentName?: string
  family?: string
  phase: string
  look: LastLook
}

async function shownDecoys(sql: Sql, retired: boolean): Promise<ShownDecoy[]> {
  const segments = new Map((await listSegments(sql)).map(({ id, name }) => [id, name]))
  const agents = new Map(
    (await sql.all<{ id: string; name: string }>('SELECT id, name FROM agents')).map(({ id, name }) => [id, name]),
  )
  const families = new Map(
    (await sql.all<{ id: string; family: string }>('SELECT DISTINCT id, family FROM personas')).map((row) => [
      row.id,
      row.family,
    ]),
  )
  const looks = await lastLooks(sql)
  return (await listDecoys(sql, { retired })).map((decoy) => {
    const [segmentName, agentName, family] = [
      segments.get(decoy.segment),
      agents.get(decoy.agent),
      families.get(decoy.persona),
    ]
    return {
      ...decoy,
      ...(segmentName !== undefined && { segmentName }),
      ...(agentName !== undefined && { agentName }),
      ...(family !== undefined && { family }),
      look: looks.get(decoy.id) ?? {},
      phase: decoy.status === 'retired' ? 'retired' : (phaseOf(decoy) ?? 'waiting'),
    }
  })
}

/** By id, name or address; among those that are, before those that were. */
export async function decoyFor(sql: Sql, ref: string): Promise<ShownDecoy> {
  const named = ({ id, hostname, ip }: Decoy) => ({ id, names: [hostname, ip] })
  const all = await shownDecoys(sql, true)
  const wanted = all.filter(({ status }) => status === 'wanted')
  const isNamed = wanted.some(({ id, hostname, ip }) => [hostname, ip].includes(ref) || id.startsWith(ref))
  return oneOf(isNamed ? wanted : all, ref, 'decoy', named, 'marshlight decoys ls')
}
