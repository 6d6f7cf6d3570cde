import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import { keyOf } from '../baselines/index.ts'
import type { Sql } from '../store/port.ts'
import type { Projector } from '../work/port.ts'
import { type SubjectStreams, withWindow } from './streams.ts'

/** Windows -> streams of slow changes. Their state stands in the database, so that each window counts once, restarts or not. */
export function makeStreamProjector(): Projector<'features'> {
  return {
    name: 'drift streams',
    streams: ['features'],
    async project(sql, records) {
      for (const { record, agent, receivedAt } of records)
        if (record.type === 'window') await take(sql, agent, record, receivedAt)
      return []
    },
  }
}

async function take(sql: Sql, agent: string, window: FeatureWindow, receivedAt: string): Promise<void> {
  const { subject, missed, profile } = window
  if (subject.kind !== 'decoy' && subject.kind !== 'mimicry') return
  const drift = subject.kind === 'mimicry' ? (window.drift ?? 'none') : window.drift
  // Of few sources, and under one drift after the other: no stream.
  if (drift === undefined || missed > 0 || window.apart) return
  const own = await sql.get('SELECT 1 AS one FROM decoys WHERE id = ? AND agent = ?', subject.decoy, agent)
  if (!own) return
  const key = keyOf(subject)
  const row = await sql.get<{ state: string }>('SELECT state FROM drift_streams WHERE key = ?', key)
  const before = row && (JSON.parse(row.state) as SubjectStreams)
  const { streams, changes } = withWindow(before, { subject, drift, profile })
  const at = window.at < receivedAt ? window.at : receivedAt
  await sql.run(
    'INSERT INTO drift_streams (key, state, at) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state, at = excluded.at',
    key,
    JSON.stringify(streams),
    at,
  )
  for (const one of changes)
    await sql.run(
      'INSERT INTO drift_changes (key, at, mark, feature, found_by, before, now, away) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      key,
      at,
      drift,
      one.feature,
      one.by,
      one.before,
      one.now,
      one.away,
    )
}
