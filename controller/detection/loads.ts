import type { Health } from '../../shared/schemas/state.ts'
import type { Load, LoadIn } from '../drift/index.ts'
import type { Sql } from '../store/port.ts'

type Of = (one: Health) => number | undefined
type Weighed = { value: number; weight: number }

const mostRecords = 500
/** Small boards slow themselves down from here on, degrees Celsius. */
const throttlesAt = 80
/** A record tells of the time since the one before it, and of no more than this. */
const mostCoveredMs = 120_000

/** How busy each appliance was, by its health records since then. */
export async function loadsSince(sql: Pick<Sql, 'all'>, since: string): Promise<LoadIn> {
  const streams = await sql.all<{ id: number; agent: string }>(`SELECT id, agent FROM streams WHERE stream = 'health'`)
  const byAgent = new Map<string, Health[]>()
  for (const { id, agent } of streams) {
    const rows = await sql.all<{ body: string }>(
      `SELECT body FROM (SELECT number, body, received_at FROM records WHERE stream_id = ? ORDER BY number DESC LIMIT ${mostRecords})
       WHERE received_at >= ? ORDER BY number`,
      id,
      since,
    )
    byAgent.set(agent, [...(byAgent.get(agent) ?? []), ...rows.map(({ body }): Health => JSON.parse(body))])
  }
  return (appliance, spans) => {
    const records = byAgent.get(appliance) ?? []
    return records.length === 0 ? undefined : loadOf(records, spans)
  }
}

/**
 * In each span as much as in its busiest quarter; over several, what half of their weight is below. Without spans it is the busiest
 * quarter of all. Undefined where no record tells of a span. Pure.
 */
export function loadOf(records: readonly Health[], spans?: Parameters<LoadIn>[1]): Load | undefined {
  const covered = records.map((one, i) => {
    const [to, before] = [Date.parse(one.at), Date.parse(records[i - 1]?.at ?? '')]
    return { one, to, from: Math.max(to - mostCoveredMs, Number.isFinite(before) ? before : to - mostCoveredMs) }
  })
  const parts = spans
    ? spans.map((span) => ({
        weight: span.weight,
        own: covered.filter(({ from, to }) => from < span.to && to > span.from).map(({ one }) => one),
      }))
    : [{ weight: 1, own: records }]
  if (parts.every(({ own }) => own.length === 0)) return undefined
  const level = (of: Of) =>
    middleOf(parts.flatMap(({ weight, own }) => busiestOf(own, of).map((value) => ({ value, weight }))))
  return {
    cpu: level(({ cpuPercent }) => cpuPercent) / 100,
    memory: level(({ memoryUsedPercent }) => memoryUsedPercent) / 100,
    throttled: level(({ temperatureC }) => temperatureC) >= throttlesAt,
  }
}

function busiestOf(records: readonly Health[], of: Of): number[] {
  const values = records.map(of).filter((value) => value !== undefined)
  const sorted = Float64Array.from(values).sort()
  return [...sorted.subarray(Math.ceil(0.75 * (sorted.length - 1))).subarray(0, 1)]
}

function middleOf(values: readonly Weighed[]): number {
  const half = values.reduce((sum, { weight }) => sum + weight, 0) / 2
  let below = 0
  for (const { value, weight } of [...values].sort((a, b) => a.value - b.value)) {
    below += weight
    if (below >= half) return value
  }
  return 0
}
