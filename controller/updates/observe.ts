import type { Sql } from '../store/port.ts'
import type { Box, Progress } from './plan.ts'
import { type Before, boxesOf, type Rollout, type RolloutBox } from './rollouts.ts'

/** Growth of what waits on a box to be sent that a short outage does not explain, megabytes. */
const spoolGrowthMb = 32

type Seen = {
  presence: string
  ready: number
  wanted: number
  healthAt: string | null
  spoolMb: number
  alert: string | null
}

/** What the planner looks at: the rollout's progress, and each of its boxes as it is now. */
export async function observe(sql: Sql, rollout: Rollout): Promise<{ progress: Progress; boxes: Box[] }> {
  const seen = await lookAt(sql, rollout)
  const boxes = (await boxesOf(sql, rollout.id)).map((box): Box => {
    const now = seen.get(box.agent)
    return {
      agent: box.agent,
      ring: box.ring,
      ordered: box.ordered,
      orderedMs: box.orderedMs ?? undefined,
      phase: box.phase ?? undefined,
      online: now?.presence === 'online',
      troubles: now ? troublesOf(box, now) : [],
      unwellMs: box.unwellMs ?? undefined,
      late: box.late,
    }
  })
  const { ring, ringMs, watchedMs, policy, gateMs } = rollout
  return { progress: { ring, ringMs, watchedMs, policy, gateMs: gateMs ?? undefined }, boxes }
}

/** How a box is before it is told to install: what it is compared with after. */
export async function beforeOf(sql: Sql, agent: string): Promise<Before> {
  const row = await sql.get<Before>(
    `SELECT (SELECT COUNT(*) FROM decoys d JOIN decoy_states s ON s.decoy = d.id
       WHERE d.agent = ? AND d.status = 'wanted' AND s.phase = 'ready') AS ready,
     COALESCE((SELECT json_extract(body, '$.spoolMb') FROM agent_health WHERE agent = ?), 0) AS spoolMb`,
    agent,
    agent,
  )
  return row ?? { ready: 0, spoolMb: 0 }
}

/** In words for a person. */
export function troublesOf({ before, phaseAt }: RolloutBox, now: Seen): string[] {
  if (!before) return []
  const owed = Math.min(before.ready, now.wanted)
  return [
    ...(now.presence === 'online' ? [] : ['it is not connected']),
    ...(now.ready < owed ? [`${now.ready} of ${owed} decoys are ready`] : []),
    ...(now.alert === null ? [] : [`alert: ${now.alert}`]),
    // Told by the box's own clock, as its phase is.
    ...(now.healthAt !== null &&
    phaseAt !== null &&
    now.healthAt > phaseAt &&
    now.spoolMb > before.spoolMb + spoolGrowthMb
      ? [`its spool grew from ${Math.round(before.spoolMb)} to ${Math.round(now.spoolMb)} MB`]
      : []),
  ]
}

/** Faults of its own that stay open since it was told to install; what attackers do is none. */
const faults = "'notice', 'unsafe-decoy', 'records-lost', 'dead-letters'"

async function lookAt(sql: Sql, { id }: Rollout): Promise<Map<string, Seen>> {
  const rows = await sql.all<Seen & { agent: string }>(
    `WITH those AS (SELECT agent, ordered_at FROM rollout_boxes WHERE rollout = ?),
     pots AS (SELECT d.agent, COUNT(*) AS wanted, SUM(COALESCE(s.phase, '') = 'ready') AS ready
       FROM decoys d LEFT JOIN decoy_states s ON s.decoy = d.id WHERE d.status = 'wanted' GROUP BY d.agent),
     found AS (SELECT title, created_at, CASE WHEN instr(subject, '/') > 0 THEN substr(subject, 1, instr(subject, '/') - 1) ELSE subject END AS about
       FROM alerts WHERE status = 'open' AND severity IN ('high', 'critical') AND kind IN (${faults})),
     bad AS (SELECT t.agent, MIN(f.title) AS title FROM found f LEFT JOIN decoys d ON d.id = f.about
       JOIN those t ON t.agent = COALESCE(d.agent, f.about) AND f.created_at >= t.ordered_at GROUP BY t.agent)
     SELECT t.agent, a.presence, COALESCE(pots.ready, 0) AS ready, COALESCE(pots.wanted, 0) AS wanted, h.at AS healthAt,
       COALESCE(json_extract(h.body, '$.spoolMb'), 0) AS spoolMb, bad.title AS alert
     FROM those t JOIN agents a ON a.id = t.agent LEFT JOIN pots ON pots.agent = t.agent
     LEFT JOIN agent_health h ON h.agent = t.agent LEFT JOIN bad ON bad.agent = t.agent`,
    id,
  )
  return new Map(rows.map((row) => [row.agent, row]))
}
