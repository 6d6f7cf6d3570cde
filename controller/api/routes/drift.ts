import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { ipv4 } from '../../../shared/schemas/common.ts'
import {
  alterationEffect,
  type Drift,
  driftType,
  errorEffect,
  intensity,
  latencyEffect,
} from '../../../shared/schemas/drift.ts'
import { type Decoy, listDecoys } from '../../decoys/index.ts'
import { clearDrift, givesWay, historyOfDrift, inForce, setDrift, wishedDrift } from '../../drift/index.ts'
import type { Sql } from '../../store/port.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import type { Routes } from '../port.ts'
import { decoyFor, type ShownDecoy } from './decoys.ts'
import { baselineFor, type ShownSetting, shownPorts, shownSetting } from './drift-shown.ts'
import { segmentFor } from './segments.ts'

const wish = z.strictObject({
  type: driftType,
  intensity,
  source: ipv4.optional(),
  seed: z.string().min(1).max(64).optional(),
  form: latencyEffect.shape.form.optional(),
  ms: z.number().min(0).optional(),
  kind: errorEffect.shape.kind.optional(),
  what: alterationEffect.shape.what.optional(),
  share: z.number().min(0).optional(),
  hours: z.array(z.int().min(0).max(23)).min(1).max(24).optional(),
  /** In force besides what is. */
  add: z.boolean().default(false),
  minutes: z.number().min(1).max(527_040).optional(),
  reason: z.string().min(1).max(300).default('an administrator asked for it'),
})
type Wish = z.infer<typeof wish>

/**
 * `/v1/drift`: settings in force; `/v1/drift/DECOY`: those of one decoy, what they do at each port and what is expected
 * there. POST sets, DELETE clears, POST `preview` says what would be and changes nothing.
 */
export const driftRoutes: Routes = (app, deps) => {
  const { store, bus, clock } = deps

  app.get('/v1/drift', async ({ query }) => {
    const { segment, decoy } = check(z.object({ segment: z.string().optional(), decoy: z.string().optional() }), query)
    const only = segment === undefined ? undefined : (await segmentFor(store, segment)).id
    const one = decoy === undefined ? undefined : (await decoyFor(store, decoy)).id
    const items = []
    for (const { id, hostname, ip, segment } of (await listDecoys(store)).reverse()) {
      if ((only !== undefined && segment !== only) || (one !== undefined && id !== one)) continue
      for (const setting of await settingsOf(store, id)) items.push({ ...setting, hostname, ip })
    }
    return { items }
  })

  app.get('/v1/drift/:ref', async ({ params, query }) => {
    const { source } = check(z.object({ source: ipv4.optional() }), query)
    const decoy = await decoyFor(store, refOf(params))
    const settings = await settingsOf(store, decoy.id)
    return {
      ...headOf(decoy),
      settings,
      ports: await shownPorts(store, decoy, await metBy(store, decoy.id, source)),
      history: (await historyOfDrift(store, decoy.id)).filter(({ endedAt }) => endedAt !== undefined).map(shownSetting),
    }
  })

  app.post('/v1/drift/:ref/preview', async ({ params, body }) => {
    const asked = check(wish, body)
    const decoy = await decoyFor(store, refOf(params))
    const { drift, relativeTo } = await composedFor(store, decoy, asked)
    const before = await metBy(store, decoy.id, asked.source)
    return {
      ...headOf(decoy),
      ...(asked.source !== undefined && { source: asked.source }),
      drift,
      ...(relativeTo !== undefined && { relativeTo }),
      ports: await shownPorts(store, decoy, drift, before),
    }
  })

  app.post('/v1/drift/:ref', async ({ params, body, query }) => {
    const asked = check(wish, body)
    const decoy = await decoyFor(store, refOf(params))
    const dryRun = isDryRun(query)
    const { agent, settings } = await changeOrTry(store, dryRun, async (sql) => {
      const { drift } = await composedFor(sql, decoy, asked)
      return setDrift(sql, {
        decoy: decoy.id,
        drift,
        by: 'admin',
        reason: asked.reason,
        at: isoNow(clock),
        ...(asked.source !== undefined && { source: asked.source }),
        ...(asked.minutes !== undefined && { until: new Date(clock.now() + asked.minutes * 60_000).toISOString() }),
      })
    })
    if (!dryRun) bus.emit({ name: 'plan-changed', agents: [agent] })
    return { ...headOf(decoy), settings: settings.map(shownSetting), dryRun }
  })

  app.delete('/v1/drift/:ref', async ({ params, query }) => {
    const { source, all, reason } = check(
      z.object({
        source: ipv4.optional(),
        all: z.enum(['0', '1']).default('0'),
        reason: z.string().min(1).max(300).default('an administrator cleared it'),
      }),
      query,
    )
    const decoy = await decoyFor(store, refOf(params))
    const of = all === '1' ? 'all' : source === undefined ? 'everyone' : { source }
    const dryRun = isDryRun(query)
    const { agent, settings, left } = await changeOrTry(store, dryRun, async (sql) => ({
      ...(await clearDrift(sql, { decoy: decoy.id, of, at: isoNow(clock), why: reason })),
      left: (await inForce(sql, decoy.id)).length,
    }))
    if (!dryRun && settings.length > 0) bus.emit({ name: 'plan-changed', agents: [agent] })
    return { ...headOf(decoy), settings: settings.map(shownSetting), left, dryRun }
  })
}

const refOf = (params: unknown) => check(z.object({ ref: z.string().min(1).max(200) }), params).ref

const headOf = ({ id, hostname, ip, segmentName }: ShownDecoy) => ({ decoy: id, hostname, ip, segmentName })

async function settingsOf(sql: Sql, decoy: string): Promise<ShownSetting[]> {
  const held = await inForce(sql, decoy)
  return held.map((one) => ({ ...shownSetting(one), ...(givesWay(one, held) && { givesWay: true as const }) }))
}

/** What one source meets, or everyone who has no view of his own. */
async function metBy(sql: Sql, decoy: string, source?: string): Promise<Drift | null> {
  const held = await inForce(sql, decoy)
  const own = source === undefined ? undefined : held.find((one) => one.source === source && !givesWay(one, held))
  return (own ?? held.find((one) => one.source === undefined))?.drift ?? null
}

/** The wish as drift, relative to what is known of the decoy. Without a seed the same question has the same answer until it is set. */
async function composedFor(sql: Sql, decoy: Decoy, { type, intensity, add, source, seed, ...rest }: Wish) {
  const { profile, port } = await baselineFor(sql, decoy)
  const before = (await historyOfDrift(sql, decoy.id, 10_000)).length
  const { form, ms, kind, what, share, hours } = rest
  const drift = wishedDrift(
    profile,
    { type, intensity, seed: seed ?? `${decoy.id}/${before}`, numbers: { form, ms, kind, what, share, hours } },
    add ? await metBy(sql, decoy.id, source) : null,
  )
  return { drift, relativeTo: port }
}
