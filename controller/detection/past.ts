import { seededRandom } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { keyOf, mergeProfiles, windowsOf } from '../baselines/index.ts'
import type { Sql } from '../store/port.ts'
import type { Subject } from './judge.ts'
import { type Likenesses, likenessesOf, type Window } from './likeness.ts'

const hourMs = 3_600_000
/** So far back it is looked until there are enough windows; no longer than they are kept. */
const spans = [3 * hourMs, 24 * hourMs, 7 * 24 * hourMs]
const enough = 60
/** How alike observations are changes slowly, and to read many windows takes time. */
const keptMs = hourMs

/** What was before the time that is looked at: how alike its observations are, and all of it together. */
export type Earlier = { likenesses: Likenesses; profile: Profile; windows: number }

/**
 * Remembers how alike each subject's observations were, until it is an hour old.
 *
 *   windows before those that are looked at, under no drift, of times in which nothing was found -> likenessesOf
 */
export function makePast() {
  const known = new Map<string, { at: number; earlier: Earlier }>()

  return {
    async of(sql: Sql, subject: Subject['subject'], since: string, now: string, baseline: Profile): Promise<Earlier> {
      const [key, at] = [keyOf(subject), Date.parse(now)]
      const held = known.get(key)
      if (held && at - held.at < keptMs) return held.earlier
      const windows = await calmBefore(sql, subject, since, at - Date.parse(since))
      const profiles = windows.map(({ profile }) => profile)
      const profile = windows.length < enough ? mergeProfiles(profiles, seededRandom(`${key}/${now}/earlier`)) : {}
      const earlier = { likenesses: likenessesOf(windows, baseline), profile, windows: windows.length }
      // With few windows there are soon twice as many.
      if (windows.length >= enough) known.set(key, { at, earlier })
      return earlier
    },
    /** The same of all that was before `since`, however long ago: a time that does not move on. */
    async before(
      sql: Sql,
      subject: Subject['subject'],
      since: string,
      now: string,
      baseline: Profile,
    ): Promise<Earlier> {
      const [key, at] = [`${keyOf(subject)} before ${since}`, Date.parse(now)]
      const held = known.get(key)
      if (held && at - held.at < keptMs) return held.earlier
      const windows = await calmBefore(sql, subject, since, hourMs)
      const earlier = { likenesses: likenessesOf(windows, baseline), profile: {}, windows: windows.length }
      known.set(key, { at, earlier })
      return earlier
    },
    forgetBefore(at: number): void {
      for (const [key, held] of known) if (held.at < at - 2 * keptMs) known.delete(key)
    },
  }
}
export type Past = ReturnType<typeof makePast>

async function calmBefore(sql: Sql, subject: Subject['subject'], since: string, lookbackMs: number): Promise<Window[]> {
  const instance = subject.kind === 'mimicry' ? subject.instance : -1
  let windows: Window[] = []
  for (const span of spans) {
    const from = new Date(Date.parse(since) - span).toISOString()
    const found = await sql.all<{ at: string }>(
      'SELECT at FROM drift_scores WHERE decoy = ? AND instance = ? AND score > 0 AND at > ?',
      subject.decoy,
      instance,
      from,
    )
    const times = found.map(({ at }) => Date.parse(at))
    const isCalm = (at: number) => !times.some((time) => at <= time && time - at <= lookbackMs)
    windows = (await windowsOf(sql, subject, from, since)).filter(
      ({ missed, drift, at, apart }) =>
        missed === 0 && !apart && (drift ?? 'none') === 'none' && isCalm(Date.parse(at)),
    )
    if (windows.length >= enough) break
  }
  return windows
}
