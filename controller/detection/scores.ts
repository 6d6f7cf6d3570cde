import type { Subject } from '../baselines/index.ts'
import type { Cause } from '../drift/index.ts'
import type { Sql } from '../store/port.ts'
import type { Standing, Told } from './judge.ts'

export type Caused = Standing & { cause?: Cause['kind']; because?: string; since?: number }
export type ScoreRow = {
  at: string
  decoy: string
  hostname: string | null
  /** -1: the decoy itself. */
  instance: number
  segment: string
  appliance: string
  score: number
  plain: number | null
  feature: string | null
  service: string | null
  port: number | null
  effect: number | null
  q: number | null
  words: string | null
  cause: string | null
}
export type StandingRow = Omit<ScoreRow, 'service' | 'port' | 'effect' | 'q' | 'words'> & {
  because: string | null
  findings: Told[]
}

const hourMs = 3_600_000
/** Findings of a standing that are kept. */
const mostFindings = 64

/** Keeps what a round found. A calm decoy's score is written once an hour. */
export async function keepScores(sql: Sql, standings: readonly Caused[], at: string): Promise<void> {
  for (const one of standings) {
    const [instance, top] = [one.instance ?? -1, one.top]
    const last = await sql.get<{ at: string; score: number }>(
      'SELECT at, score FROM drift_scores WHERE decoy = ? AND instance = ? ORDER BY at DESC LIMIT 1',
      one.decoy,
      instance,
    )
    await sql.run(
      `INSERT INTO drift_standings (decoy, instance, segment, appliance, at, score, plain, feature, cause, because, findings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (decoy, instance) DO UPDATE SET segment = excluded.segment, appliance = excluded.appliance, at = excluded.at, score = excluded.score,
         plain = excluded.plain, feature = excluded.feature, cause = excluded.cause, because = excluded.because, findings = excluded.findings`,
      one.decoy,
      instance,
      one.segment,
      one.appliance,
      at,
      one.score,
      one.plain,
      top?.feature ?? null,
      one.cause ?? null,
      one.because ?? null,
      JSON.stringify(one.findings.slice(0, mostFindings)),
    )
    const isCalm = one.score === 0 && last?.score === 0
    if (isCalm && last && Date.parse(at) - Date.parse(last.at) < hourMs) continue
    await sql.run(
      `INSERT INTO drift_scores (at, decoy, instance, segment, appliance, score, plain, feature, service, port, effect, q, words, cause)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      at,
      one.decoy,
      instance,
      one.segment,
      one.appliance,
      one.score,
      one.plain,
      top?.feature ?? null,
      top?.service ?? null,
      top?.port ?? null,
      top?.effect ?? null,
      top?.q ?? null,
      top?.words ?? null,
      one.cause ?? null,
    )
  }
}

/**
 * Whether a decoy or an instance behaves otherwise than expected at the moment: that shall not become what is expected. What goes
 * on for a day is how it is now.
 */
export async function isDoubtful(sql: Pick<Sql, 'get'>, subject: Subject, at: string): Promise<boolean> {
  if (subject.kind !== 'decoy' && subject.kind !== 'mimicry') return false
  const instance = subject.kind === 'mimicry' ? subject.instance : -1
  const dayBefore = new Date(Date.parse(at) - 24 * hourMs).toISOString()
  const row = await sql.get(
    `SELECT 1 AS one FROM drift_standings s WHERE s.decoy = ? AND s.instance = ? AND s.score > 0 AND s.at > ?
       AND EXISTS (SELECT 1 FROM drift_scores c WHERE c.decoy = s.decoy AND c.instance = s.instance AND c.score = 0 AND c.at > ?)`,
    subject.decoy,
    instance,
    dayBefore,
    dayBefore,
  )
  return row !== undefined
}

/** Scores since then, newest first; of one decoy where its id is given. */
export const readScores = (
  sql: Pick<Sql, 'all'>,
  { since, decoy, limit }: { since: string; decoy?: string | undefined; limit: number },
): Promise<ScoreRow[]> =>
  sql.all<ScoreRow>(
    `SELECT s.at, s.decoy, d.hostname, s.instance, s.segment, s.appliance, s.score, s.plain, s.feature, s.service, s.port, s.effect, s.q, s.words, s.cause
     FROM drift_scores s LEFT JOIN decoys d ON d.id = s.decoy WHERE s.at >= ? AND (? IS NULL OR s.decoy = ?) ORDER BY s.at DESC, s.id DESC LIMIT ?`,
    since,
    decoy ?? null,
    decoy ?? null,
    limit,
  )

/** The last look at a decoy and at its mimicry instances. */
export async function readStandings(sql: Pick<Sql, 'all'>, decoy: string): Promise<StandingRow[]> {
  const rows = await sql.all<Omit<StandingRow, 'findings'> & { findings: string }>(
    `SELECT s.*, d.hostname FROM drift_standings s LEFT JOIN decoys d ON d.id = s.decoy WHERE s.decoy = ? ORDER BY s.instance`,
    decoy,
  )
  return rows.map((row) => ({ ...row, findings: JSON.parse(row.findings) as Told[] }))
}

/** Deletes what is older than that, and what is of decoys that are no more. */
export async function pruneScores(sql: Sql, before: string): Promise<number> {
  const { changes } = await sql.run('DELETE FROM drift_scores WHERE at < ?', before)
  for (const table of ['drift_standings', 'drift_streams', 'drift_changes', 'drift_marks'])
    await sql.run(`DELETE FROM ${table} WHERE at < ?`, before)
  return changes
}
