import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'
import { listAgents } from './agents.ts'
import { segmentNamed } from './claims.ts'
import { type SiteHas, type SitePlan, sitePlan } from './site-plan.ts'
import { changePlaceTags, tagsOfAll } from './tags.ts'

/**
 * A site can be planned before a box is there:
 *
 *   template -> plan of a site -> its segments are made -> a box claims in one, or is moved there -> its tags
 *                                                 \-> placement: so many decoys, of these families
 */
export type Site = {
  id: string
  name: string
  plan: SitePlan | null
  template: string | null
  has: SiteHas['segments']
}

type PlanRow = { site: string; body: string; template: string | null }

export async function listSites(sql: Sql): Promise<Site[]> {
  const sites = await sql.all<{ id: string; name: string }>('SELECT id, name FROM sites ORDER BY name')
  const plans = new Map((await sql.all<PlanRow>('SELECT * FROM site_plans')).map((row) => [row.site, row]))
  const segments = await sql.all<{ id: string; site: string; name: string; cidr: string | null }>(
    'SELECT id, site, name, cidr FROM segments ORDER BY name',
  )
  const decoys = await sql.all<{ segment: string; wanted: number; ready: number }>(
    `SELECT d.segment, COUNT(*) AS wanted, SUM(s.phase = 'ready' AND s.ip = d.ip) AS ready
     FROM decoys d LEFT JOIN decoy_states s ON s.decoy = d.id WHERE d.status = 'wanted' GROUP BY d.segment`,
  )
  const counts = new Map(decoys.map((row) => [row.segment, row]))
  const tags = await tagsOfAll(sql)
  const agents = (await listAgents(sql)).filter(({ status }) => status === 'enrolled')
  const boxesIn = Map.groupBy(
    agents.flatMap((agent) => agent.segments.map(({ id }) => ({ id, agent }))),
    ({ id }) => id,
  )
  return sites.map(({ id, name }) => {
    const row = plans.get(id)
    return {
      id,
      name,
      plan: row ? sitePlan.parse(JSON.parse(row.body)) : null,
      template: row?.template ?? null,
      has: segments
        .filter(({ site }) => site === id)
        .map((one) => ({
          name: one.name,
          cidr: one.cidr,
          boxes: (boxesIn.get(one.id) ?? []).map(({ agent }) => ({
            name: agent.name,
            online: agent.presence === 'online',
            tags: tags.get(agent.id) ?? [],
          })),
          decoys: { wanted: counts.get(one.id)?.wanted ?? 0, ready: counts.get(one.id)?.ready ?? 0 },
        })),
    }
  })
}

/** Throws NOT_FOUND. */
export async function findSite(sql: Sql, what: string): Promise<Site> {
  const found = (await listSites(sql)).find(({ id, name }) => id === what || name === what)
  if (!found) throw new MarshlightError('NOT_FOUND', { kind: 'site', value: what, command: 'marshlight sites ls' })
  return found
}

/** Makes the site and its segments where they are new; boxes that stand there get its tags. Gives the site's id. */
export async function planSite(
  sql: Sql,
  o: { name: string; plan: SitePlan; template: string | null; now: number },
): Promise<string> {
  for (const segment of o.plan.segments) await segmentNamed(sql, o.name, segment.name, o.now)
  const id = (await sql.get<{ id: string }>('SELECT id FROM sites WHERE name = ?', o.name))?.id ?? ''
  await sql.run(
    `INSERT INTO site_plans (site, body, template, changed_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (site) DO UPDATE SET body = excluded.body, template = excluded.template, changed_at = excluded.changed_at`,
    id,
    JSON.stringify(o.plan),
    o.template,
    new Date(o.now).toISOString(),
  )
  await tagBoxes(sql, id)
  return id
}

/** Its segments stay, and what stands in them. */
export async function unplanSite(sql: Sql, site: string): Promise<void> {
  await sql.run('DELETE FROM site_plans WHERE site = ?', site)
  await tagBoxes(sql, site)
}

/** What the plan says of a segment that exists, by its id. */
export async function plannedSegments(sql: Sql): Promise<Map<string, { decoys?: number; families?: string[] }>> {
  const rows = await sql.all<{ id: string; name: string; body: string }>(
    'SELECT s.id, s.name, p.body FROM site_plans p JOIN segments s ON s.site = p.site',
  )
  return new Map(
    rows.flatMap(({ id, name, body }) => {
      const one = sitePlan.parse(JSON.parse(body)).segments.find((segment) => segment.name === name)
      if (!one) return []
      const { decoys, families } = one
      return [[id, { ...(decoys !== undefined && { decoys }), ...(families && { families }) }] as const]
    }),
  )
}

/** Whether the plan of its site says that a decoy shall not deviate by itself. */
export async function plansNoDrift(sql: Sql, decoy: string): Promise<boolean> {
  const row = await sql.get<{ name: string; body: string }>(
    `SELECT s.name, p.body FROM decoys d JOIN segments s ON s.id = d.segment JOIN site_plans p ON p.site = s.site
     WHERE d.id = ?`,
    decoy,
  )
  return (
    row !== undefined &&
    sitePlan.parse(JSON.parse(row.body)).segments.some(({ name, drift }) => name === row.name && drift === 'none')
  )
}

/** Gives a box the tags of the segment it came to, in place of those of where it was. */
export async function tagByPlace(sql: Sql, agent: string, segment: string): Promise<void> {
  const row = await sql.get<{ name: string; body: string }>(
    'SELECT s.name, p.body FROM segments s JOIN site_plans p ON p.site = s.site WHERE s.id = ?',
    segment,
  )
  const plan = row && sitePlan.parse(JSON.parse(row.body))
  const own = plan?.segments.find(({ name }) => name === row?.name)
  await changePlaceTags(sql, agent, plan ? [...plan.tags, ...(own?.tags ?? [])] : [])
}

/** Of a box with several segments, the first: further ones extend its name. */
async function tagBoxes(sql: Sql, site: string): Promise<void> {
  const rows = await sql.all<{ agent: string; segment: string }>(
    `SELECT x.agent, x.segment FROM agent_segments x JOIN segments s ON s.id = x.segment WHERE s.site = ?
     ORDER BY LENGTH(s.name), s.name`,
    site,
  )
  const done = new Set<string>()
  for (const { agent, segment } of rows) {
    if (done.has(agent)) continue
    done.add(agent)
    await tagByPlace(sql, agent, segment)
  }
}
