import { z } from 'zod'
import { isMade, mostKindsOfPlan } from '../../shared/mimicry-kinds.ts'
import { type TrafficPattern, trafficPattern } from '../../shared/schemas/mimicry.ts'
import type { Sql } from '../store/port.ts'

const list = z.array(trafficPattern)
/** Of a pattern in a plan: kinds, and steps of each distribution. Every decoy of a plan bears them. */
const most = { kinds: mostKindsOfPlan, steps: 24 }

/**
 * The shape that plans name for a segment: of what decoys can make, that of the agent who saw most of it; none where nobody
 * saw enough.
 */
export async function patternsForPlan(sql: Sql, segment: string): Promise<TrafficPattern[]> {
  const rows = await sql.all<{ used: string }>(
    'SELECT used FROM mimicry_patterns WHERE segment = ? ORDER BY agent',
    segment,
  )
  const all = rows.map(({ used }) => list.parse(JSON.parse(used)).filter(({ kind }) => isMade(kind)))
  const size = (patterns: readonly TrafficPattern[]) => patterns.reduce((sum, { n }) => sum + n, 0)
  const [best = []] = all.sort((a, b) => size(b) - size(a))
  return best.slice(0, most.kinds).map(thinned)
}

function thinned(pattern: TrafficPattern): TrafficPattern {
  const fewer = (values: readonly number[]) =>
    values.length <= most.steps
      ? [...values]
      : Array.from(
          { length: most.steps },
          (_, i) => values[Math.floor(((i + 0.5) * values.length) / most.steps)] as number,
        )
  const shape = ({ request, response, pauseMs }: Omit<TrafficPattern['classes'][number], 'share'>) => ({
    request: fewer(request),
    response: fewer(response),
    pauseMs: fewer(pauseMs),
  })
  return {
    ...pattern,
    gapMs: fewer(pattern.gapMs),
    exchanges: fewer(pattern.exchanges),
    ...(pattern.opening && { opening: pattern.opening.map(shape) }),
    classes: pattern.classes.map(({ share, ...rest }) => ({ share, ...shape(rest) })),
  }
}

export type SeenShape = { agent: string; from: string; at: string; usedAt: string; patterns: TrafficPattern[] }

/** What agents saw of a segment, newest first. */
export async function seenOf(sql: Sql, segment: string): Promise<SeenShape[]> {
  const rows = await sql.all<{ agent: string; from_at: string; at: string; used_at: string; seen: string }>(
    `SELECT agent, from_at, at, used_at, seen FROM mimicry_patterns WHERE segment = ? ORDER BY at DESC`,
    segment,
  )
  return rows.map(({ agent, from_at, at, used_at, seen }) => ({
    agent,
    from: from_at,
    at,
    usedAt: used_at,
    patterns: list.parse(JSON.parse(seen)),
  }))
}

export type InstanceDone = {
  decoy: string
  hostname: string
  ip: string
  segment: string
  instance: number
  /** Sums since the time that was asked for. */
  planned: number
  done: number
  failed: number
  bounded: number
  bytes: number
  redrawn: number
  /** The newest that rests on enough. */
  score?: number
  lastAt: string
}

/** What each instance did since then, by decoy. */
export async function doneSince(sql: Sql, since: string, segment?: string): Promise<InstanceDone[]> {
  const rows = await sql.all<Omit<InstanceDone, 'lastAt' | 'score'> & { last_at: string; score: number | null }>(
    `SELECT r.decoy, d.hostname, d.ip, d.segment, r.instance, SUM(r.planned) AS planned, SUM(r.done) AS done, SUM(r.failed) AS failed,
         SUM(r.bounded) AS bounded, SUM(r.bytes) AS bytes, SUM(r.redrawn) AS redrawn, MAX(r.at) AS last_at,
         (SELECT s.score FROM mimicry_reports s WHERE s.decoy = r.decoy AND s.instance = r.instance AND s.score IS NOT NULL
            ORDER BY s.at DESC LIMIT 1) AS score
       FROM mimicry_reports r JOIN decoys d ON d.id = r.decoy
       WHERE r.at >= ? ${segment === undefined ? '' : 'AND d.segment = ?'}
       GROUP BY r.decoy, r.instance ORDER BY d.hostname, r.instance`,
    since,
    ...(segment === undefined ? [] : [segment]),
  )
  return rows.map(({ last_at, score, ...rest }) => ({ ...rest, lastAt: last_at, ...(score !== null && { score }) }))
}
