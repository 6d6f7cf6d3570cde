import { loadavg } from 'node:os'
import type { Conversation } from '../../agent/mimicry/conversation.ts'
import { features } from '../../agent/mimicry/distances.ts'
import { patternsOf } from '../../agent/mimicry/patterns.ts'
import { tableText } from '../../controller/cli/print.ts'
import { keepAwake } from './awake.ts'
import { kinds, makeMimicrySegment } from './mimicry-segment.ts'
import { type Fold, measured, ratioOf } from './mimicry-table.ts'
import type { Bench, Row } from './row.ts'

const seconds = 36
const samples = 3
const hourMs = 3_600_000
const nameOf = (kind: string, feature: string) => `mimicry.${kind}.${feature}`

/**
 * Real clients in a network of their own, watched three times. Patterns of two of the times, and what the pod's program makes
 * of them between two such hosts, watched as well; how far that is from the third time, which the patterns know nothing of,
 * over how far real times are from each other: means over all features, for each choice of the third.
 *
 *   real 1, real 2, made of both | real 3, made of 1 and 3, made of 2 and 3          one after the other: the same machine
 *
 * Patterns of finitely many conversations have their own chance in them: whoever draws from two samples is 1.12 times as far
 * from the third as that is from one of them (variances 1 + 1/2 + 1 over 1 + 1), were he the real thing itself.
 * Time is compressed: seconds stand for minutes.
 */
export const driftMimicryBench: Bench = {
  names: [
    'mimicry.distance_ratio',
    'mimicry.distance_ratio_high',
    'mimicry.distance_real',
    'mimicry.distance_generated',
    nameOf('all', 'kinds'),
    ...kinds.flatMap((kind) => [...Object.keys(features), 'burst'].map((feature) => nameOf(kind, feature))),
  ],
  async run(progress) {
    const segment = await makeMimicrySegment()
    const reals: Conversation[][] = []
    const folds: Fold[] = []
    // Real clients keep a machine awake by what it takes to start them; the pod's program takes next to nothing.
    const letSleep = keepAwake(2 * 2 * samples * seconds)
    const load = () => `load ${loadavg()[0]?.toFixed(1)}`
    const watch = async () => {
      reals.push(await segment.real(seconds, `${reals.length + 1}`))
      progress(`real ${reals.length}: ${reals.at(-1)?.length} conversations, ${load()}`)
    }
    const make = async (a: number, b: number, other: number) => {
      const from = [reals[a] ?? [], reals[b] ?? []]
      const spans = from.map(([first]) => ({ from: first?.at ?? 0, to: (first?.at ?? 0) + seconds * 1000 }))
      // The hour of the day is that of now, whenever it was watched.
      const patterns = patternsOf(from.flat(), spans).map((pattern) => {
        const hours = (spans.length * seconds * 1000) / hourMs
        return { ...pattern, hourly: new Array<number>(24).fill(pattern.n / hours) }
      })
      const made = await segment.made(seconds, `${a}${b}`, patterns)
      folds.push({ made, other })
      progress(`made of ${a + 1} and ${b + 1}: ${made.length} conversations, ${load()}`)
    }
    try {
      await segment.open()
      for (let i = 0; i < samples - 1; i++) await watch()
      await make(0, 1, 2)
      await watch()
      await make(0, 2, 1)
      await make(1, 2, 0)
    } finally {
      letSleep()
      await segment.close()
    }
    const { rows, real, made } = measured(reals, folds)
    const { ratio, low, high } = ratioOf(reals, folds)
    const text = (value: number) => value.toFixed(3)
    const shown = rows.map(({ kind, feature, real, made, n }) => [
      kind,
      feature,
      text(real),
      text(made),
      real > 0 ? (made / real).toFixed(2) : '-',
      n,
    ])
    const head = ['KIND', 'FEATURE', 'REAL-REAL', 'MADE-REAL', 'RATIO', 'N']
    process.stderr.write(`\nDistances, 0 to 1: Kolmogorov-Smirnov; of kinds Jensen-Shannon, of burst of parts\n`)
    process.stderr.write(`${tableText(head, shown, 80)}\n\n`)
    progress(`ratio ${ratio.toFixed(2)}, 95 % interval ${low.toFixed(2)} to ${high.toFixed(2)}; 1.12 were perfect`)
    // Three places: so that a line of the benchmarks' table fits 80 columns.
    const short = (value: number) => Number(value.toFixed(3))
    const plain = { unit: 'distance', better: 'lower', target: null, reference: null } as const
    const isRatio = { unit: 'ratio', better: 'lower', reference: 1 } as const
    return [
      { name: 'mimicry.distance_ratio', value: ratio, target: 1.25, ...isRatio },
      { name: 'mimicry.distance_ratio_high', value: high, target: null, ...isRatio },
      { name: 'mimicry.distance_real', value: short(real), ...plain },
      { name: 'mimicry.distance_generated', value: short(made), ...plain, reference: short(real) },
      ...rows.map(
        (row): Row => ({
          ...plain,
          name: nameOf(row.kind, row.feature),
          value: short(row.made),
          reference: short(row.real),
        }),
      ),
    ]
  },
}
