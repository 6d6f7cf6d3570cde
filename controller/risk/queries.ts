import type { Sql } from '../store/port.ts'
import type { EvidenceRule } from './evidence.ts'
import { isWhollyExempt, type RiskException } from './exceptions.ts'
import { type Evidence, type Reason, type Score, scoreOf } from './score.ts'
import type { ThresholdName } from './thresholds.ts'

export type EvidenceRow = Evidence & { exempt: number; newest_at: string }
export type CrossingRow = {
  id: number
  source: string
  threshold: ThresholdName
  /** The source was above already and goes on. */
  again: boolean
  score: number
  reasons: Reason[]
  /** Decoy's time of the newest evidence, the controller's of its record, and of the crossing. */
  event_at: string
  received_at: string
  at: string
  agent: string | null
  decoy: string | null
  segment: string | null
}

const evidenceColumns = 'evidence, exempt, amount, ref_ms AS "refMs", count, newest_at, detail'

export const loadEvidence = (sql: Sql, source: string): Promise<EvidenceRow[]> =>
  sql.all<EvidenceRow>(`SELECT ${evidenceColumns} FROM risk_evidence WHERE source = ? ORDER BY evidence`, source)

export const saveEvidence = (sql: Sql, source: string, row: EvidenceRow) =>
  sql.run(
    `INSERT INTO risk_evidence (source, evidence, exempt, amount, ref_ms, count, newest_at, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (source, evidence, exempt) DO UPDATE SET amount = excluded.amount, ref_ms = excluded.ref_ms,
       count = excluded.count, newest_at = excluded.newest_at, detail = excluded.detail`,
    source,
    row.evidence,
    row.exempt,
    row.amount,
    row.refMs,
    row.count,
    row.newest_at,
    row.detail,
  )

/** Scores of sources as they stand at `nowMs`, decayed since the last evidence. */
export async function scoresNow(
  sql: Sql,
  sources: readonly string[],
  o: { rules: readonly EvidenceRule[]; exceptions: readonly RiskException[]; nowMs: number },
): Promise<Map<string, Score>> {
  const rows = await sql.all<EvidenceRow & { source: string }>(
    `SELECT source, ${evidenceColumns} FROM risk_evidence WHERE exempt = 0 AND source IN (SELECT value FROM json_each(?))`,
    JSON.stringify(sources),
  )
  const bySource = Map.groupBy(rows, ({ source }) => source)
  return new Map(
    sources.map((source) => [
      source,
      isWhollyExempt(o.exceptions, source, o.nowMs)
        ? { score: 0, reasons: [] }
        : scoreOf(bySource.get(source) ?? [], o.rules, o.nowMs),
    ]),
  )
}

/** Crossings after `id`, in order. */
export async function crossingsAfter(sql: Sql, id: number, limit = 200): Promise<CrossingRow[]> {
  const rows = await sql.all<Omit<CrossingRow, 'again' | 'reasons'> & { again: number; reasons: string }>(
    'SELECT * FROM risk_crossings WHERE id > ? ORDER BY id LIMIT ?',
    id,
    limit,
  )
  return rows.map((row) => ({ ...row, again: row.again === 1, reasons: JSON.parse(row.reasons) as Reason[] }))
}

/** Who takes crossings; retention keeps one until all have. */
export const crossingTakers = ['alerts', 'response.blocks', 'response.decoys'] as const
export type CrossingTaker = (typeof crossingTakers)[number]

/**
 * Crossings that `worker` has not taken yet, and their taking: for use in one transaction, so that each takes effect
 * exactly once.
 */
export async function takeCrossings(sql: Sql, worker: CrossingTaker): Promise<CrossingRow[]> {
  const from = (await sql.get<{ pos: number }>('SELECT pos FROM cursors WHERE worker = ?', worker))?.pos ?? 0
  const crossings = await crossingsAfter(sql, from)
  const last = crossings.at(-1)
  if (last)
    await sql.run(
      'INSERT INTO cursors (worker, pos) VALUES (?, ?) ON CONFLICT (worker) DO UPDATE SET pos = excluded.pos',
      worker,
      last.id,
    )
  return crossings
}
