import type { Feature, FeatureName, Profile } from '../../shared/schemas/baseline.ts'
import type { WindowSubject } from '../../shared/schemas/observation.ts'
import {
  type AdwinState,
  makeAdwin,
  makePageHinkley,
  type PageHinkleyState,
  type Worth,
} from '../../shared/statistics/index.ts'
import { leastShiftMs, whoseIs } from './whose.ts'

/**
 * Slow changes: each feature of each subject as a stream with one value a window, in deviations of its first windows.
 *
 *   window -> level (median, rate, share) -> warm-up: median and deviation of the first `warmUp` -> (level - median) / deviation,
 *          cut at 4 -> Page-Hinkley, ADWIN -> change: what it was, what it is; the stream then learns its level anew
 *
 * Under another drift, all begins anew. State is plain data, so that a restart of the controller loses nothing.
 */
export type StreamState = {
  /** Levels of the warm-up, until it is over. */
  first?: number[]
  middle: number
  deviation: number
  pageHinkley?: PageHinkleyState
  adwin?: AdwinState
  /** The last levels, to say where it went. */
  last: number[]
}
export type SubjectStreams = { mark: string; features: Partial<Record<FeatureName, StreamState>> }
export type SlowChange = {
  feature: FeatureName
  by: 'page-hinkley' | 'adwin'
  before: number
  now: number
  /** In deviations of one window. */
  away: number
}

const warmUp = 40
const kept = 12
/** Observations that a window's level rests on at least. */
const leastInWindow = 5
/**
 * Chosen by simulation (test/unit/detection/rounds.test.ts, bench `drift.stream_false_alarms`): a deviation of one window is
 * let pass, and what adds up beyond it does not come by chance in a million windows of three features.
 */
const pageHinkley = { least: 10, tolerance: 1, threshold: 30, memory: 1 }
const adwin = { delta: 1e-7, every: 8, leastWindow: 8, grace: 24 }
const farthest = 4
/** A change as it is told at a look; with what observations were worth before it began. */
export type Slow = { feature: FeatureName; words: string; worth: Worth }
/** It began at most so many windows before it was found. */
export const longestOnset = 60

/** What a window tells, and the streams after it. Pure: `streams` stays as it was. */
export function withWindow(
  streams: SubjectStreams | undefined,
  window: { subject: WindowSubject; drift: string; profile: Profile },
): { streams: SubjectStreams; changes: SlowChange[] } {
  const before = streams?.mark === window.drift ? streams.features : {}
  const features = { ...before }
  const changes: SlowChange[] = []
  for (const [name, feature] of Object.entries(window.profile) as [FeatureName, Feature][]) {
    if (whoseIs(window.subject, name) === 'visitors') continue
    const level = levelOf(feature)
    if (level === undefined) continue
    const { state, change } = step(before[name], level)
    features[name] = state
    const isSlight = feature.form === 'sample' && feature.unit === 'ms' && isNear(change)
    if (change && !isSlight) changes.push({ feature: name, ...change })
  }
  return { streams: { mark: window.drift, features }, changes }
}

const isNear = (change: { before: number; now: number } | undefined) =>
  change !== undefined && Math.abs(change.now - change.before) < leastShiftMs

function step(
  before: StreamState | undefined,
  level: number,
): { state: StreamState; change?: Omit<SlowChange, 'feature'> } {
  const first = before ? before.first : []
  if (first) {
    const levels = [...first, level]
    if (levels.length < warmUp) return { state: { first: levels, middle: 0, deviation: 0, last: [] } }
    const middle = median(levels)
    // The median distance, as a deviation of a normal variable; a hundredth of the level where all were alike.
    const spread = 1.4826 * median(levels.map((one) => Math.abs(one - middle)))
    return { state: { middle, deviation: Math.max(spread, Math.abs(middle) / 100, 1e-9), last: [] } }
  }
  const { middle, deviation, last } = before as StreamState
  const away = Math.max(-farthest, Math.min(farthest, (level - middle) / deviation))
  const [page, window] = [makePageHinkley(pageHinkley, before?.pageHinkley), makeAdwin(adwin, before?.adwin)]
  const [moved, dropped] = [page.add(away) !== undefined, window.add(away)]
  const levels = [...last, level].slice(-kept)
  if (!moved && !dropped)
    return { state: { middle, deviation, last: levels, pageHinkley: page.state(), adwin: window.state() } }
  const now = median(levels)
  return {
    state: { first: [], middle: 0, deviation: 0, last: [] },
    change: { by: moved ? 'page-hinkley' : 'adwin', before: middle, now, away: (now - middle) / deviation },
  }
}

/** As words. */
export function slowOf({ feature, by, before, now }: Omit<SlowChange, 'away'>, at: string, worth: Worth): Slow {
  const short = (value: number) => String(Number(value.toPrecision(3)))
  return {
    feature,
    worth,
    words: `went from ${short(before)} to ${short(now)} over many windows, seen at ${at.slice(11, 16)} (${by})`,
  }
}

/** One number for a feature; undefined where it rests on too little. */
export function levelOf(feature: Feature): number | undefined {
  switch (feature.form) {
    case 'sample':
      return feature.values.length < leastInWindow ? undefined : median(feature.values)
    case 'rate':
      return feature.count / feature.seconds
    case 'share':
      return feature.of < leastInWindow ? undefined : feature.part / feature.of
    case 'mix':
      return undefined
  }
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.floor(sorted.length / 2)] ?? 0)) / 2
}
