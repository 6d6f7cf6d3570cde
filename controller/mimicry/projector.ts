import type { MimicryReport, PatternsSeen } from '../../shared/schemas/mimicry.ts'
import { isWatched } from '../baselines/index.ts'
import { segmentOf } from '../segments/index.ts'
import type { Sql } from '../store/port.ts'
import type { BusEvent, Projector, StoredRecord } from '../work/port.ts'

const dayMs = 86_400_000
/** Reports are kept so long. */
const keptDays = 14

/**
 * Stream `features` -> shapes of segments, and what decoys did by themselves. Plans name a segment's shape as it was once a
 * day: a plan that changed with each sample would be no plan. Of a segment that is watched since shortly, whenever it was
 * watched for twice as long: its first half hour says nothing of its nights.
 */
export function makeMimicryProjector(): Projector<'features'> {
  return {
    name: 'mimicry',
    streams: ['features'],
    async project(sql, records) {
      const replanned = new Set<string>()
      let last = ''
      for (const { record, agent, receivedAt } of records as readonly StoredRecord<'features'>[]) {
        // An appliance's clock may be ahead.
        const at = record.at < receivedAt ? record.at : receivedAt
        if (record.type === 'patterns' && (await takePatterns(sql, agent, { ...record, at }))) replanned.add(agent)
        if (record.type === 'mimicry') await takeReport(sql, agent, { ...record, at })
        last = receivedAt
      }
      if (last !== '')
        await sql.run(
          'DELETE FROM mimicry_reports WHERE at < ?',
          new Date(Date.parse(last) - keptDays * dayMs).toISOString(),
        )
      return replanned.size === 0 ? [] : [{ name: 'plan-changed', agents: [...replanned] } satisfies BusEvent]
    },
  }
}

const isOld = (usedAt: number, from: number, now: number) => now - usedAt >= dayMs || now - from >= 2 * (usedAt - from)

/** Whether plans are to name them. */
async function takePatterns(sql: Sql, agent: string, { cidr, from, at, patterns }: PatternsSeen): Promise<boolean> {
  const segment = await segmentOf(sql, agent, cidr)
  if (segment === undefined || !(await isWatched(sql, segment))) return false
  const held = await sql.get<{ used_at: string }>(
    'SELECT used_at FROM mimicry_patterns WHERE segment = ? AND agent = ?',
    segment,
    agent,
  )
  const isDue = !held || isOld(Date.parse(held.used_at), Date.parse(from), Date.parse(at))
  const text = JSON.stringify(patterns)
  if (isDue)
    await sql.run(
      `INSERT INTO mimicry_patterns (segment, agent, from_at, at, seen, used, used_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (segment, agent) DO UPDATE SET from_at = excluded.from_at, at = excluded.at, seen = excluded.seen,
           used = excluded.used, used_at = excluded.used_at`,
      segment,
      agent,
      from,
      at,
      text,
      text,
      at,
    )
  else
    await sql.run(
      'UPDATE mimicry_patterns SET from_at = ?, at = ?, seen = ? WHERE segment = ? AND agent = ?',
      from,
      at,
      text,
      segment,
      agent,
    )
  return isDue
}

/** A report counts only from the agent that the decoy belongs to. */
async function takeReport(sql: Sql, agent: string, report: MimicryReport): Promise<void> {
  const own = await sql.get('SELECT id FROM decoys WHERE id = ? AND agent = ?', report.decoy, agent)
  if (!own) return
  const { decoy, instance, at, seconds, planned, done, failed, bytes, bounded, score, moved, redrawn } = report
  await sql.run(
    `INSERT OR IGNORE INTO mimicry_reports (decoy, instance, at, seconds, planned, done, failed, bytes, bounded, score, moved, redrawn)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    decoy,
    instance,
    at,
    seconds,
    planned,
    done,
    failed,
    bytes,
    bounded,
    score ?? null,
    moved ? JSON.stringify(moved) : null,
    redrawn ? 1 : 0,
  )
}
