import { mergeProfiles } from '../../controller/baselines/index.ts'
import { judgeRound, type Standing, type Subject } from '../../controller/detection/index.ts'
import { likenessesOf, type Worths, worthsOf } from '../../controller/detection/likeness.ts'
import { longestOnset, type Slow, type SubjectStreams, slowOf, withWindow } from '../../controller/detection/streams.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { calm, drawProfile, drawSessions, type Sessions, type Truth } from './simulated-profiles.ts'

export type Rounds = {
  decoys: number
  rounds: number
  level: number
  /** Observations in a window of five minutes; a look takes the last twelve. */
  perWindow: number
  seed: string
  truth?: Truth
}
const lookback = 12

/** Every five minutes a look at the last hour of decoys that behave as they always did (or as `truth`): what is found. */
export async function* simulatedRounds(o: Rounds): AsyncGenerator<Standing[]> {
  const known = Array.from({ length: o.decoys }, (_, i) =>
    drawProfile(calm, 2000, seededRandom(`${o.seed}/known/${i}`)),
  )
  const windows: Profile[][] = known.map(() => [])
  for (let round = -lookback + 1; round < o.rounds; round++) {
    const random = seededRandom(`${o.seed}/${round}`)
    for (const own of windows) {
      own.push(drawProfile(o.truth ?? calm, o.perWindow, random))
      if (own.length > lookback) own.shift()
    }
    if (round < 0) continue
    yield await judgeRound(
      windows.map((own, i) => subjectOf(i, known[i] as Profile, mergeProfiles(own, random))),
      o.level,
    )
  }
}

export const subjectOf = (i: number, expected: Profile, observed: Profile): Subject => ({
  decoy: `decoy-${i}`,
  subject: { kind: 'decoy', decoy: `decoy-${i}`, port: 80 },
  service: 'http',
  appliance: 'box',
  segment: 'office',
  expectation: { profile: expected, untold: new Set() },
  observed,
  slow: [],
})

/** How many rounds tell of something, visitors' features included: the level holds for all that is told. */
export async function alarmsIn(o: Rounds): Promise<number> {
  let alarms = 0
  for await (const standings of simulatedRounds(o))
    if (standings.some(({ findings }) => findings.some(({ significant }) => significant))) alarms++
  return alarms
}

export type SessionRound = {
  seed: string
  level: number
  perWindow: number
  sessions: Sessions
  truth?: Truth
  streams?: boolean
}
const [minutesKnown, minutesSeen] = [360, 60]

/**
 * One look at an hour after six, minute by minute, of decoys that are asked in long sessions: with what the observations are worth
 * by their past, and as if each were independent.
 */
export async function sessionRound({ seed, level, perWindow, sessions, truth = calm, streams = false }: SessionRound) {
  const random = seededRandom(seed)
  const past = drawSessions(calm, perWindow, sessions, minutesKnown, random)
  const now = drawSessions(truth, perWindow, sessions, minutesSeen, random)
  const [known, seen] = [mergeProfiles(past, random), mergeProfiles(now, random)]
  const windowed = (profiles: Profile[]) => profiles.map((profile) => ({ profile, seconds: 60 }))
  const worths = worthsOf(likenessesOf(windowed(past), known), windowed(now), seen)
  const subject = subjectOf(0, known, seen)
  const slow = slowIn(streams ? [...past, ...now] : [], (before) =>
    worthsOf(likenessesOf(windowed(before), mergeProfiles(before, random)), windowed(now), seen),
  )
  const [told, [naive]] = [await judgeRound([{ ...subject, worths, slow }], level), await judgeRound([subject], level)]
  const found = (one: Standing | undefined) => one?.findings.filter(({ significant }) => significant) ?? []
  return { told: found(told[0]), naive: found(naive), worths, slow }
}

/** What the streams found in the last hour, as a look takes it up. */
function slowIn(windows: readonly Profile[], worthsBefore: (before: Profile[]) => Worths): Slow[] {
  let streams: SubjectStreams | undefined
  return windows.flatMap((profile, i) => {
    const after = withWindow(streams, { subject: { kind: 'decoy', decoy: 'd', port: 80 }, drift: 'none', profile })
    streams = after.streams
    if (i < minutesKnown) return []
    return after.changes.flatMap((change) => {
      const worth = worthsBefore(windows.slice(0, i - longestOnset))[change.feature]
      return worth ? [slowOf(change, '2026-03-01T12:00:00.000Z', worth)] : []
    })
  })
}
