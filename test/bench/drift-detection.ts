import { compare } from '../../controller/drift/compare.ts'
import { plainScore } from '../../controller/drift/plain.ts'
import { seededRandom } from '../../shared/random.ts'
import { calm, drawProfile, type Truth } from '../drift/simulated-profiles.ts'
import { type Bench, percentileOf, type Row } from './row.ts'

const trials = 1000
const sizes = [20, 60, 200, 2000]
/** A plain score above this is a finding: the threshold that such scores are used with. */
const plainThreshold = 1
/** How often a shift must be found to be found. */
const power = 0.9
const powerTrials = 100
const grid = [20, 30, 40, 60, 80, 100, 130, 160, 200, 250, 320, 400, 512, 700, 1000]

const shifts: Record<string, Truth> = {
  latency_shift: { ...calm, delayMs: calm.delayMs * 1.2 },
  error_rate: { ...calm, errors: 0.05 },
  size_mix: { ...calm, sizes: [0.4, 0.4, 0.2] },
}

const found = (truth: Truth, n: number, seed: string): boolean =>
  compare(drawProfile(calm, 2000, seededRandom(`${seed}/known`)), drawProfile(truth, n, seededRandom(`${seed}/seen`)))
    .score > 0

/** False alarms without any drift, small and large samples alike, and how many observations a real shift takes. */
export const driftDetectionBench: Bench = {
  names: ['drift.false_alarm_rate', ...Object.keys(shifts).map((name) => `drift.${name}_detect_n`)],
  async run(progress) {
    let [alarms, plainAlarms] = [0, 0]
    const plain: number[] = []
    for (let i = 0; i < trials; i++) {
      const n = sizes[i % sizes.length] as number
      const [known, seen] = ['known', 'seen'].map((side) =>
        drawProfile(calm, n, seededRandom(`calm/${i}/${side}`)),
      ) as never as [never, never]
      if (compare(known, seen).score > 0) alarms++
      const score = plainScore(known, seen)
      plain.push(Number.isNaN(score) ? Number.POSITIVE_INFINITY : score)
      if (!(score <= plainThreshold)) plainAlarms++
      if (i % 250 === 249) progress(`${i + 1} of ${trials} baselines without drift: ${alarms} alarms`)
    }
    progress(
      `plain scores without drift: half are below ${percentileOf(plain, 50).toFixed(2)}, 95 % below ${percentileOf(plain, 95).toFixed(2)}`,
    )
    const rows: Row[] = [
      {
        name: 'drift.false_alarm_rate',
        value: alarms / trials,
        unit: 'of all',
        better: 'lower',
        target: 0.01,
        reference: plainAlarms / trials,
      },
    ]
    for (const [name, truth] of Object.entries(shifts)) {
      const share = (n: number) => {
        let hits = 0
        for (let i = 0; i < powerTrials; i++) if (found(truth, n, `${name}/${n}/${i}`)) hits++
        return hits / powerTrials
      }
      const least = grid.find((n) => share(n) >= power)
      progress(
        `${name}: found ${power * 100} % of the times from ${least ?? `more than ${grid.at(-1)}`} observations on`,
      )
      rows.push({
        name: `drift.${name}_detect_n`,
        value: least ?? Number.NaN,
        unit: 'observations',
        better: 'lower',
        target: null,
        reference: null,
      })
    }
    return rows
  },
}
