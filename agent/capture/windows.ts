import type { Random } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import { decode, type Segment } from './decode.ts'
import type { Mimics } from './mimics.ts'
import { makeSubjects, type Subject } from './subjects.ts'
import { isQuiet } from './window-profile.ts'

export type WindowsDeps = {
  /** The decoy's id. */
  decoy: string
  address: number
  broadcastAddress?: number
  ports: ReadonlyMap<number, string>
  random: Random
  pseudonym: (address: number) => string
  mimics?: () => Mimics | undefined
  isOwnLook?: (address: number, port: number, at: number) => boolean
  /** The mark of the drift that a source meets where that is not everyone's (`met.ts`). */
  groupOf?: (address: number) => string | undefined
  /** When it began to be looked at, milliseconds. */
  from: number
  /** Mark of everyone's drift; undefined where that is not known for the whole first window. */
  drift: string | undefined
}

const hourMs = 3_600_000

/**
 * Windows of one decoy: one of each service's port, one of what it does by itself, one of each instance of its mimicry; and of
 * a port one for each other drift than everyone's that somebody met there.
 *
 *   packets -> subjects -> [take] busy: told, after the quiet time before it | quiet: grows, told once an hour
 *
 * Times of windows of a subject meet without gaps or overlaps for as long as the decoy is looked at, so that a rate has
 * exactly the seconds that were looked.
 */
export function makeWindows(deps: WindowsDeps) {
  const subjects = makeSubjects({ ...deps, decoy: deps.address })
  /** Since when a subject has been quiet, and all that time with this profile of nothing. */
  const quietSince = new Map<string, number>()
  let begunAt = deps.from
  let drift = deps.drift

  function windowOf({ port, instance, service }: Subject, profile: Profile, from: number, to: number, missed: number) {
    const seconds = (to - from) / 1000
    const told: FeatureWindow = {
      type: 'window',
      at: new Date(to).toISOString(),
      seconds,
      subject:
        instance === undefined
          ? { kind: 'decoy', decoy: deps.decoy, ...(port !== undefined && { port }) }
          : { kind: 'mimicry', decoy: deps.decoy, instance },
      service,
      profile: over(profile, seconds),
      missed,
      ...(drift !== undefined && { drift }),
    }
    return told
  }

  return {
    add(frame: Buffer, at: number): void {
      const segment: Segment | undefined = decode(frame)
      if (segment) subjects.add(segment, at)
    },
    /**
     * Ends the window at `now`. `missed`: packets since the last. `all`: quiet ones are told as well, since what comes
     * after is another time: other drift, other ports, or nobody who looks.
     */
    take(now: number, missed: number, all = false): FeatureWindow[] {
      const to = Math.max(now, begunAt + 1)
      const told: FeatureWindow[] = []
      const taken = subjects.take((to - begunAt) / 1000, to)
      const keys = new Set(taken.map(keyOf))
      for (const key of quietSince.keys()) if (!keys.has(key)) quietSince.delete(key)
      for (const { profile, ownLooks, apart, ...subject } of taken) {
        const key = keyOf(subject)
        const since = quietSince.get(key) ?? begunAt
        const quiet = isQuiet(profile) && missed === 0 && ownLooks === 0
        if (quiet && !all && Math.floor(since / hourMs) === Math.floor(to / hourMs)) {
          quietSince.set(key, since)
          continue
        }
        quietSince.delete(key)
        if (quiet) told.push(windowOf(subject, profile, since, to, 0))
        else {
          if (since < begunAt) told.push(windowOf(subject, nothing(profile), since, begunAt, 0))
          told.push({ ...windowOf(subject, profile, begunAt, to, missed), ...(ownLooks > 0 && { ownLooks }) })
        }
        for (const [mark, own] of apart)
          if (!isQuiet(own)) told.push({ ...windowOf(subject, own, begunAt, to, missed), drift: mark, apart: true })
      }
      begunAt = to
      return told
    },
    /** The mark of the next windows: call it right after a `take` with `all`. */
    mark(next: string | undefined): void {
      drift = next
    },
    since: () => begunAt,
  }
}

const keyOf = ({ port, instance }: Subject): string =>
  instance === undefined ? String(port ?? 'self') : `#${instance}`

const over = (profile: Profile, seconds: number): Profile =>
  Object.fromEntries(
    Object.entries(profile).map(([name, one]) => {
      if (one.form === 'rate') return [name, { ...one, seconds }]
      if (one.form !== 'sample') return [name, one]
      return [name, { ...one, values: one.values.map((value) => Math.round(value * 1000) / 1000) }]
    }),
  )

/** The same features, of a time in which nothing was seen. */
const nothing = (profile: Profile): Profile =>
  Object.fromEntries(
    Object.entries(profile).map(([name, one]) => {
      if (one.form === 'rate') return [name, { ...one, count: 0 }]
      if (one.form === 'share') return [name, { ...one, part: 0, of: 0 }]
      if (one.form === 'sample') return [name, { ...one, n: 0, values: [] }]
      return [name, { ...one, counts: {} }]
    }),
  )
