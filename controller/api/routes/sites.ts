import { z } from 'zod'
import { isoNow } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { makeDecoyActions } from '../../decoys/index.ts'
import {
  findSite,
  findTemplate,
  listSites,
  listTemplates,
  planSite,
  removeTemplate,
  type Site,
  type SiteDifference,
  type SitePlan,
  saveTemplate,
  siteDifferences,
  siteName,
  sitePlan,
  templateName,
  unplanSite,
} from '../../fleet/index.ts'
import type { Sql } from '../../store/port.ts'
import { check, isDryRun } from '../body.ts'
import { changeOrTry } from '../dry-run.ts'
import type { Routes } from '../port.ts'

const planBody = z
  .strictObject({ template: templateName.optional(), plan: sitePlan.optional() })
  .refine(({ template, plan }) => (template === undefined) !== (plan === undefined), 'give a template or a plan')
type BySite = { Params: { site: string } }
type ByName = { Params: { name: string } }

export type ShownSite = Site & { differences: SiteDifference[] }

/** /v1/sites: what each site shall have and has, also before its boxes come; /v1/site-templates: plans to make plans from. */
export const siteRoutes: Routes = (app, deps) => {
  const { store, bus, clock, config } = deps
  const actions = makeDecoyActions(deps)

  async function shown(sql: Sql, site: Site): Promise<ShownSite> {
    const known = new Map((await listTemplates(sql)).map(({ name, plan }) => [name, plan]))
    const template = site.template === null ? undefined : (known.get(site.template) ?? null)
    const has = { segments: site.has, mostDecoys: config.decoys.maxPerSegment, template }
    return { ...site, differences: site.plan ? siteDifferences(site.plan, has) : [] }
  }

  /** A family that nobody knows would keep every decoy of the segment from being made. Throws NOT_FOUND. */
  async function knownFamilies(plan: SitePlan): Promise<SitePlan> {
    const asked = plan.segments.flatMap(({ families = [] }) => families)
    if (asked.length === 0) return plan
    const { catalogue } = await actions.data()
    const families = new Set(catalogue.templates.map(({ id }) => id))
    const unknown = asked.find((one) => !families.has(one))
    if (unknown === undefined) return plan
    throw new MarshlightError('NOT_FOUND', { kind: 'family', value: unknown, command: 'marshlight personas catalogue' })
  }

  app.get('/v1/sites', async () => {
    const items: ShownSite[] = []
    for (const site of await listSites(store)) items.push(await shown(store, site))
    return { items }
  })
  app.get<BySite>('/v1/sites/:site', async ({ params }) => shown(store, await findSite(store, params.site)))

  app.put<BySite>('/v1/sites/:site/plan', async ({ params, body, query }) => {
    const name = check(siteName, params.site)
    const wish = check(planBody, body)
    const template = wish.template ?? null
    const plan = wish.plan ?? (await findTemplate(store, wish.template ?? '')).plan
    await knownFamilies(plan)
    const planned = await changeOrTry(store, isDryRun(query), async (sql) => {
      const id = await planSite(sql, { name, plan, template, now: clock.now() })
      return shown(sql, await findSite(sql, id))
    })
    if (!isDryRun(query)) await wake(planned.id)
    return planned
  })
  app.delete<BySite>('/v1/sites/:site/plan', async ({ params, query }) => {
    const site = await findSite(store, params.site)
    await changeOrTry(store, isDryRun(query), (sql) => unplanSite(sql, site.id))
    if (!isDryRun(query)) await wake(site.id)
    return site
  })

  app.get('/v1/site-templates', async () => ({ items: await listTemplates(store) }))
  app.get<ByName>('/v1/site-templates/:name', async ({ params }) => findTemplate(store, params.name))
  app.put<ByName>('/v1/site-templates/:name', async ({ params, body, query }) => {
    const name = check(templateName, params.name)
    const plan = await knownFamilies(check(sitePlan, body))
    return changeOrTry(store, isDryRun(query), async (sql) => {
      await saveTemplate(sql, name, plan, isoNow(clock))
      return findTemplate(sql, name)
    })
  })
  app.delete<ByName>('/v1/site-templates/:name', async ({ params, query }) => {
    const template = await findTemplate(store, params.name)
    if (!isDryRun(query)) await store.tx((sql) => removeTemplate(sql, template.name))
    return template
  })

  /** Placement looks at what changed. */
  async function wake(site: string): Promise<void> {
    for (const { id } of await store.all<{ id: string }>('SELECT id FROM segments WHERE site = ?', site))
      bus.emit({ name: 'segment-changed', segment: id })
  }
}
