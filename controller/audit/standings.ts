import type { Sql } from '../store/port.ts'
import type { Standing } from './due.ts'
import type { Run, RunKind } from './runs.ts'

/** Decoys that answer with the persona they shall have, on appliances that are there, and what was looked at so far. */
export async function standings(sql: Sql): Promise<(Standing & { agent: string; segment: string })[]> {
  const decoys = await sql.all<{
    id: string
    agent: string
    segment: string
    persona_version: number
    ready_at: string
  }>(
    `SELECT d.id, d.agent, d.segment, d.persona_version, COALESCE(s.ready_at, s.at) AS ready_at
     FROM decoys d JOIN decoy_states s ON s.decoy = d.id JOIN agents a ON a.id = d.agent
     WHERE d.status = 'wanted' AND s.phase = 'ready' AND s.ip = d.ip AND s.persona_version = d.persona_version
       AND a.status = 'enrolled' AND a.presence = 'online'`,
  )
  if (decoys.length === 0) return []
  const lasts = await sql.all<{
    id: string
    decoy: string
    kind: RunKind
    status: Run['status']
    ended_at: string | null
    created_at: string
  }>(
    `SELECT id, decoy, kind, status, ended_at, created_at FROM audit_runs
     WHERE id IN (SELECT MAX(id) FROM audit_runs GROUP BY decoy, kind)`,
  )
  const versions = await sql.all<{ decoy: string; persona_version: number; done: number; failed: number }>(
    `SELECT decoy, persona_version, SUM(status = 'done') AS done, SUM(status = 'failed') AS failed FROM audit_runs
     WHERE kind = 'audit' AND persona_version IS NOT NULL GROUP BY decoy, persona_version`,
  )
  const lastOf = Map.groupBy(lasts, ({ decoy }) => decoy)
  const versionOf = new Map(versions.map((one) => [`${one.decoy} ${one.persona_version}`, one]))
  return decoys.map(({ id, agent, segment, persona_version, ready_at }) => {
    const version = versionOf.get(`${id} ${persona_version}`)
    const last: Standing['last'] = {}
    for (const one of lastOf.get(id) ?? [])
      last[one.kind] = { id: one.id, status: one.status, endedAt: Date.parse(one.ended_at ?? one.created_at) }
    return {
      decoy: id,
      agent,
      segment,
      readyAt: Date.parse(ready_at),
      audited: (version?.done ?? 0) > 0,
      failures: version?.failed ?? 0,
      last,
    }
  })
}
