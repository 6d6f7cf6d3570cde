import { MarshlightError } from '../../shared/errors.ts'
import type { Sql } from '../store/port.ts'
import { type SitePlan, sitePlan } from './site-plan.ts'

export type SiteTemplate = { name: string; plan: SitePlan; changedAt: string }

const mostTemplates = 200

type Row = { name: string; body: string; changed_at: string }
const toTemplate = ({ name, body, changed_at }: Row): SiteTemplate => ({
  name,
  plan: sitePlan.parse(JSON.parse(body)),
  changedAt: changed_at,
})

export const listTemplates = async (sql: Sql): Promise<SiteTemplate[]> =>
  (await sql.all<Row>('SELECT * FROM site_templates ORDER BY name')).map(toTemplate)

/** Throws NOT_FOUND. */
export async function findTemplate(sql: Sql, name: string): Promise<SiteTemplate> {
  const row = await sql.get<Row>('SELECT * FROM site_templates WHERE name = ?', name)
  if (row) return toTemplate(row)
  throw new MarshlightError('NOT_FOUND', { kind: 'template', value: name, command: 'marshlight sites template ls' })
}

/** Sites that were planned from it before stay as they are; `sites diff` tells of them. Throws CONFLICT where there are too many. */
export async function saveTemplate(sql: Sql, name: string, plan: SitePlan, now: string): Promise<void> {
  await sql.run(
    `INSERT INTO site_templates (name, body, changed_at) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at`,
    name,
    JSON.stringify(plan),
    now,
  )
  const { n = 0 } = (await sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM site_templates')) ?? {}
  if (n > mostTemplates)
    throw new MarshlightError('CONFLICT', {
      what: `there would be ${n} templates, the most is ${mostTemplates}`,
      next: 'Remove one with `marshlight sites template remove`.',
    })
}

export const removeTemplate = (sql: Sql, name: string) => sql.run('DELETE FROM site_templates WHERE name = ?', name)
