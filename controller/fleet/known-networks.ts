import type { Sql } from '../store/port.ts'
import { sitePlan } from './site-plan.ts'

/**
 * The networks that a segment is known to have: as its boxes told, and as its site was planned. None where nobody knows yet.
 * A box that takes an agent's place may stand in any segment of that agent.
 */
export async function networksOf(sql: Sql, segment: string, agent?: string): Promise<string[]> {
  const rows = await sql.all<{ name: string; cidr: string | null; body: string | null }>(
    `SELECT s.name, s.cidr, p.body FROM segments s LEFT JOIN site_plans p ON p.site = s.site
     WHERE s.id = ? OR s.id IN (SELECT segment FROM agent_segments WHERE agent = ?)`,
    segment,
    agent ?? null,
  )
  const found = rows.flatMap(({ name, cidr, body }) => {
    const plan = body === null ? undefined : sitePlan.parse(JSON.parse(body))
    const planned = plan?.segments.find((one) => one.name === name)?.cidr
    return [cidr, planned].filter((one) => typeof one === 'string')
  })
  return [...new Set(found)].sort()
}
