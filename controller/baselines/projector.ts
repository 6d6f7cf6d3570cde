import { type Random, seededRandom } from '../../shared/random.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import { segmentOf } from '../segments/index.ts'
import type { Sql } from '../store/port.ts'
import type { Projector, StoredRecord } from '../work/port.ts'
import { admitted } from './admit.ts'
import { type Addition, addToCells } from './cells.ts'
import { forgetRecord } from './forget.ts'
import { hourOfWeek, weekOf } from './hours.ts'
import { placeSubject, type Subject, subjectOf } from './subjects.ts'
import { isForgotten, isWatched } from './watching.ts'
import { keepWindow } from './windows.ts'

/** Whether what a subject does at the moment is known not to be its normal behaviour. */
export type IsDoubtful = (sql: Sql, subject: Subject, at: string) => Promise<boolean>

type Pending = { subject: number; week: number; hour: number; additions: Addition[] }

/**
 * Stream `features` -> windows of late, and what they say of normal behaviour.
 *
 *   window -> whose (subject) -> kept as it came
 *                             -> admitted, not doubtful? -> cell of its hour, cell of its week
 *
 * What comes of a segment's own traffic and services once it is switched off is passed over, and where it was to be forgotten
 * the record is emptied too.
 */
export function makeBaselineProjector({
  random,
  isDoubtful = async () => false,
}: {
  random: Random
  isDoubtful?: IsDoubtful
}): Projector<'features'> {
  return {
    name: 'baselines',
    streams: ['features'],
    async project(sql, records) {
      const pending = new Map<string, Pending>()
      for (const { record, agent, receivedAt, pos } of records as readonly StoredRecord<'features'>[]) {
        if (record.type === 'patterns') {
          const segment = await segmentOf(sql, agent, record.cidr)
          if (segment !== undefined && (await isForgotten(sql, segment))) await forgetRecord(sql, pos)
        }
        if (record.type !== 'window') continue
        // An appliance's clock may be ahead; what it says is not taken for the future.
        const at = record.at < receivedAt ? record.at : receivedAt
        await take(sql, agent, { ...record, at }, pos, pending, isDoubtful)
      }
      // One seed of the system for each batch: thousands of draws of it would cost more than all else.
      const draw = seededRandom(String(random()))
      for (const { additions, ...place } of pending.values()) await addToCells(sql, place, additions, draw)
      return []
    },
  }
}

async function take(
  sql: Sql,
  agent: string,
  window: FeatureWindow,
  pos: number,
  pending: Map<string, Pending>,
  isDoubtful: IsDoubtful,
): Promise<void> {
  const whose = await subjectOf(sql, agent, window)
  if (!whose) return
  const { subject, segment } = whose
  const isReal = subject.kind === 'service' || subject.kind === 'segment'
  if (isReal && !(await isWatched(sql, segment))) {
    if (await isForgotten(sql, segment)) await forgetRecord(sql, pos)
    return
  }
  const id = await placeSubject(sql, subject, { segment, service: window.service, at: window.at })
  await keepWindow(sql, id, window, pos)
  const profile = admitted(window)
  if (!profile || (await isDoubtful(sql, subject, window.at))) return
  const middle = Date.parse(window.at) - window.seconds * 500
  const [week, hour] = [weekOf(middle), hourOfWeek(middle)]
  const place = `${id} ${week} ${hour}`
  const known = pending.get(place) ?? { subject: id, week, hour, additions: [] }
  known.additions.push({ at: window.at, windows: 1, profile })
  pending.set(place, known)
}
