import { isoNow } from '../../shared/clock.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { baselineOf, keyOf, knownOfSubject, mergeProfiles, windowsOf } from '../baselines/index.ts'
import type { Deps } from '../deps.ts'
import { driftsMetSince } from '../drift/index.ts'
import type { Sql } from '../store/port.ts'
import { expectationOf } from './expectation.ts'
import type { Subject } from './judge.ts'
import { worthsOf } from './likeness.ts'
import { noteMark } from './marks.ts'
import type { Past } from './past.ts'
import { reportedSubjects } from './reports.ts'
import { levelOf, longestOnset, type Slow, type SlowChange, slowOf } from './streams.ts'
import { type Stretch, stretchesOf } from './stretches.ts'
import { tracksOf } from './tracks.ts'

type Row = {
  kind: 'decoy' | 'mimicry'
  decoy: string
  port: number | null
  instance: number | null
  service: string
  appliance: string
  segment: string
}
const hourMs = 3_600_000
/** Windows before the looked-at ones that are enough to know how it was. */
const leastEarlier = 20
/** A change that a stream found is told for so long. */
const slowMs = 6 * hourMs

/** What was seen since `since` of all that is watched, with what was to be expected of it. */
export async function lookAt(deps: Pick<Deps, 'store' | 'clock'>, past: Past, since: string): Promise<Subject[]> {
  const { store, clock } = deps
  const now = isoNow(clock)
  const rows = await store.all<Row>(
    `SELECT b.kind, b.decoy, b.port, b.instance, b.service, d.agent AS appliance, d.segment FROM baseline_subjects b JOIN decoys d ON d.id = b.decoy
     WHERE b.kind IN ('decoy', 'mimicry') AND b.last_at > ? AND d.status = 'wanted' ORDER BY b.decoy, b.key`,
    since,
  )
  await store.tx(async (sql) => {
    for (const decoy of new Set(rows.map((row) => row.decoy))) {
      for (const drift of await driftsMetSince(sql, decoy, since)) await noteMark(sql, drift, now)
    }
  })
  const subjects: Subject[] = []
  for (const row of rows) {
    subjects.push(...(await lookAtOne(store, past, row, since, now)))
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return [...subjects, ...(await reportedSubjects(store, since))]
}

/** Of a port several: what everyone met, and what those did who met something else. */
async function lookAtOne(sql: Sql, past: Past, row: Row, since: string, now: string): Promise<Subject[]> {
  const { kind, decoy, service, appliance, segment } = row
  const subject =
    kind === 'mimicry'
      ? ({ kind, decoy, instance: row.instance ?? 0 } as const)
      : ({ kind, decoy, ...(row.port !== null && { port: row.port }) } as const)
  const windows = (await windowsOf(sql, subject, since, now)).filter(({ missed }) => missed === 0)
  const stretches = await stretchesOf(sql, windows, kind === 'mimicry' ? 'none' : undefined)
  const baseline = stretches.length === 0 ? undefined : await ownBaseline(sql, subject)
  if (!baseline) return []
  const earlier = await past.of(sql, subject, since, now, baseline)
  // Of a young baseline what is looked at would be a good part: it is held against what was before.
  const isYoung = earlier.windows >= leastEarlier && Object.keys(earlier.profile).length > 0
  const subjects: Subject[] = []
  for (const { drift, windows, mark, untold } of stretches) {
    const expectation = expectationOf(isYoung ? earlier.profile : baseline, drift, service)
    const { profile } = expectation
    const unsaid = new Set([...expectation.untold, ...untold])
    const observed = mergeProfiles(
      windows.map(({ profile }) => profile),
      seededRandom(`${keyOf(subject)}/${now}`),
    )
    const worths = worthsOf(earlier.likenesses, windows, observed)
    const looked = { subject, mark, now, baseline, expected: profile, windows, observed }
    subjects.push({
      ...{ decoy, subject, service, appliance, segment, observed, worths },
      expectation: { ...expectation, untold: unsaid },
      tracks: tracksOf(subject, profile, windows, worths).filter(({ feature }) => !unsaid.has(feature)),
      slow: await slowChanges(sql, past, looked),
    })
  }
  return subjects
}

/**
 * How it behaved itself, at all hours: an hour's own past would be the hour that is looked at. Real services that a new
 * decoy is like are not it: to differ from them is no drift.
 */
async function ownBaseline(sql: Sql, subject: Subject['subject']): Promise<Profile | undefined> {
  if (subject.kind === 'mimicry') return (await knownOfSubject(sql, subject))?.profile
  const { from, profile } = await baselineOf(sql, subject)
  return from === 'own' ? profile : undefined
}

/** Changes that a stream found of late and that are still to be seen. */
async function slowChanges(sql: Sql, past: Past, looked: Looked): Promise<Slow[]> {
  const { subject, mark, now, baseline, expected, windows, observed } = looked
  if (mark === undefined) return []
  const rows = await sql.all<Omit<SlowChange, 'away'> & { at: string }>(
    'SELECT feature, found_by AS by, before, now, at FROM drift_changes WHERE key = ? AND at > ? AND mark = ? ORDER BY id DESC',
    keyOf(subject),
    new Date(Date.parse(now) - slowMs).toISOString(),
    mark,
  )
  const found: Slow[] = []
  for (const [change] of Map.groupBy(rows, ({ feature }) => feature).values()) {
    if (!change || !isStill(change, expected, observed)) continue
    const onsetMs = longestOnset * 1000 * (windows.at(-1)?.seconds ?? 0)
    const began = new Date(Date.parse(change.at) - onsetMs).toISOString()
    const { likenesses, windows: before } = await past.before(sql, subject, began, now, baseline)
    const worth = before < leastEarlier ? undefined : worthsOf(likenesses, windows, observed)[change.feature]
    if (worth) found.push(slowOf(change, change.at, worth))
  }
  return found
}
type Looked = {
  subject: Subject['subject']
  mark: Stretch['mark']
  now: string
  baseline: Profile
  expected: Profile
  windows: Stretch['windows']
  observed: Profile
}

/** It led away from what is expected, and what is seen of late is nearer to where it led than to where it came from. */
function isStill({ feature, before, now }: Omit<SlowChange, 'away'>, expected: Profile, observed: Profile): boolean {
  const [known, seen] = [expected[feature], observed[feature]].map((one) => one && levelOf(one))
  const isAway = known === undefined || Math.abs(now - known) > Math.abs(before - known)
  return isAway && (seen === undefined || Math.abs(seen - now) < Math.abs(seen - before))
}
