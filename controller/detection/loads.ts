import type { Health } from '../../shared/schemas/state.ts'
import type { Load } from '../drift/index.ts'
import type { Sql } from '../store/port.ts'

const mostRecords = 500
/** Small boards slow themselves down from here on, degrees Celsius. */
const throttlesAt = 80

/** How busy each appliance was since then, by its health records: as much as in the busiest quarter of that time. */
export async function loadsSince(sql: Pick<Sql, 'all'>, since: string): Promise<Map<string, Load>> {
  const streams = await sql.all<{ id: number; agent: string }>(`SELECT id, agent FROM streams WHERE stream = 'health'`)
  const byAgent = new Map<string, Health[]>()
  for (const { id, agent } of streams) {
    const rows = await sql.all<{ body: string }>(
      `SELECT body FROM (SELECT body, received_at FROM records WHERE stream_id = ? ORDER BY number DESC LIMIT ${mostRecords}) WHERE received_at >= ?`,
      id,
      since,
    )
    byAgent.set(agent, [...(byAgent.get(agent) ?? []), ...rows.map(({ body }): Health => JSON.parse(body))])
  }
  return new Map([...byAgent].filter(([, all]) => all.length > 0).map(([agent, all]) => [agent, loadOf(all)]))
}

/** Pure. */
export function loadOf(records: readonly Health[]): Load {
  const busiest = (of: (one: Health) => number | undefined): number => {
    const values = records.map(of).filter((value) => value !== undefined)
    const sorted = Float64Array.from(values).sort()
    return sorted[Math.floor(0.75 * (sorted.length - 1))] ?? 0
  }
  return {
    cpu: busiest(({ cpuPercent }) => cpuPercent) / 100,
    memory: busiest(({ memoryUsedPercent }) => memoryUsedPercent) / 100,
    throttled: busiest(({ temperatureC }) => temperatureC) >= throttlesAt,
  }
}
