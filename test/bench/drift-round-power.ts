import { mergeProfiles } from '../../controller/baselines/index.ts'
import { judgeRound, levelOf, type Subject } from '../../controller/detection/index.ts'
import { likenessesOf, worthsOf } from '../../controller/detection/likeness.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Profile } from '../../shared/schemas/baseline.ts'
import { calm, drawProfile, type Truth } from '../drift/simulated-profiles.ts'
import { sessionRound, subjectOf } from '../drift/simulated-rounds.ts'
import type { Bench, Row } from './row.ts'

const decoys = 3
/** Windows of five minutes: a day that is known, and the hour of a look. */
const [windowsKnown, windowsSeen] = [288, 12]
const level = levelOf(300)
/** How often a shift must be found to be found. */
const power = 0.9
const trials = 40
/** Observations in the hour. */
const grid = [24, 36, 48, 72, 96, 120, 156, 192, 240, 300, 360, 480, 600, 720, 960, 1200, 1800, 2400]
const sessionRounds = 300

const shifts: Record<string, Truth> = {
  latency_shift: { ...calm, delayMs: calm.delayMs * 1.2 },
  error_rate: { ...calm, errors: 0.05 },
  size_mix: { ...calm, sizes: [0.4, 0.4, 0.2] },
}
const features: Record<string, string> = {
  latency_shift: 'response.delay',
  error_rate: 'error.share',
  size_mix: 'response.size',
}

/**
 * The rule as it is deployed: 1 % a day over all looks, Benjamini and Hochberg over all features of all decoys, and each
 * comparison resting on what its observations are worth by the windows of a day. How many observations in the hour
 * a shift of one of the decoys takes to be found in one look; and false alarms where clients keep their sessions.
 */
export const driftRoundPowerBench: Bench = {
  names: [...Object.keys(shifts).map((name) => `drift.round_${name}_detect_n`), 'drift.session_false_alarms'],
  async run(progress) {
    const rows: Row[] = []
    for (const [name, truth] of Object.entries(shifts)) {
      const least = await leastFound(name, truth)
      progress(`${name}: found ${power * 100} % of the times from ${least ?? `more than ${grid.at(-1)}`} on in an hour`)
      rows.push({ ...row(`round_${name}_detect_n`, 'observations'), value: least ?? Number.NaN })
    }
    let [told, naive] = [0, 0]
    for (let i = 0; i < sessionRounds; i++) {
      const sessions = { windows: 5, part: 0.5 }
      const round = await sessionRound({ seed: `bench/${i}`, level: 0.01, perWindow: 5, sessions })
      if (round.told.length > 0) told++
      if (round.naive.length > 0) naive++
    }
    progress(
      `sessions of five minutes: ${told} of ${sessionRounds} looks at 1 % alarm, ${naive} if each answer were for itself`,
    )
    const shares = { value: told / sessionRounds, target: 0.01, reference: naive / sessionRounds }
    return [...rows, { ...row('session_false_alarms', 'of all'), ...shares }]
  },
}

const row = (name: string, unit: string) => ({
  ...({ name: `drift.${name}`, unit, better: 'lower', target: null, reference: null } as const),
})

/** The least of the grid from which on it is found so often: what is not found with more is not found with less. */
async function leastFound(name: string, truth: Truth): Promise<number | undefined> {
  let [low, high] = [0, grid.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((await foundShare(name, truth, grid[middle] as number)) >= power) high = middle
    else low = middle + 1
  }
  return grid[low]
}

async function foundShare(name: string, truth: Truth, n: number): Promise<number> {
  let hits = 0
  for (let i = 0; i < trials; i++) {
    const subjects = Array.from({ length: decoys }, (_, at) =>
      subjectAt(at, at === 0 ? truth : calm, n, `${name}/${n}/${i}`),
    )
    const [moved] = await judgeRound(subjects, level)
    if (moved?.findings.some(({ feature, significant }) => significant && feature === features[name])) hits++
  }
  return hits / trials
}

/** What is known of decoys that are visited as often as in the hour: the same for all trials. */
const known = new Map<number, ReturnType<typeof knownOf>[]>()
function knownAt(at: number, n: number) {
  const all = known.get(n) ?? Array.from({ length: decoys }, (_, i) => knownOf(i, n))
  known.set(n, all)
  return all[at] as (typeof all)[number]
}
function knownOf(at: number, n: number) {
  const random = seededRandom(`power/${at}/${n}`)
  const past = windowed(Array.from({ length: windowsKnown }, () => drawProfile(calm, n / windowsSeen, random)))
  const profile = mergeProfiles(
    past.map((one) => one.profile),
    random,
  )
  return { profile, likenesses: likenessesOf(past, profile) }
}

function subjectAt(at: number, truth: Truth, n: number, seed: string): Subject {
  const random = seededRandom(`${seed}/${at}`)
  const now = windowed(Array.from({ length: windowsSeen }, () => drawProfile(truth, n / windowsSeen, random)))
  const seen = mergeProfiles(
    now.map((one) => one.profile),
    random,
  )
  const { profile, likenesses } = knownAt(at, n)
  return { ...subjectOf(at, profile, seen), worths: worthsOf(likenesses, now, seen) }
}

function windowed(profiles: Profile[]) {
  return profiles.map((profile) => ({ profile, seconds: 300 }))
}
