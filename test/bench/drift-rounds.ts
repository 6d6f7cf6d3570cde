import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { levelOf } from '../../controller/detection/index.ts'
import { type SubjectStreams, withWindow } from '../../controller/detection/streams.ts'
import { seededRandom } from '../../shared/random.ts'
import { wilson } from '../../shared/statistics/index.ts'
import { calm, drawProfile } from '../drift/simulated-profiles.ts'
import { alarmsIn } from '../drift/simulated-rounds.ts'
import { makeWorld, minute } from '../unit/detection/world.ts'
import { type Bench, percentileOf, type Row } from './row.ts'

const decoys = 300
const days = 50
const looksADay = 288
const streamWindows = 1_000_000

/**
 * What looking again and again costs: false alarms of days of rounds without any drift (the reference is each round at 1 %),
 * at most how many that may be (Wilson, 95 %; 50 days cannot show one in a hundred), those of streams
 * of independent answers, and one round over 300 decoys with an hour of windows each, database included.
 */
export const driftRoundsBench: Bench = {
  names: ['drift.round_ms', 'drift.false_alarm_days', 'drift.false_alarm_days_high', 'drift.stream_false_alarms'],
  async run(progress) {
    let [alarmed, naive] = [0, 0]
    for (let day = 0; day < days; day++) {
      const of = { decoys: 3, rounds: looksADay, perWindow: 4, seed: `day/${day}` }
      if ((await alarmsIn({ ...of, level: levelOf(300) })) > 0) alarmed++
      if ((await alarmsIn({ ...of, level: 0.01 })) > 0) naive++
      if (day % 10 === 9)
        progress(`${day + 1} days without drift: ${alarmed} with a false alarm, ${naive} at 1 % a round`)
    }
    const changes = falseChanges()
    progress(`${changes} changes found in ${streamWindows} windows without one`)
    return [
      {
        name: 'drift.round_ms',
        value: await roundMs(progress),
        unit: 'ms',
        better: 'lower',
        target: 5000,
        reference: null,
      },
      {
        name: 'drift.false_alarm_days',
        value: alarmed / days,
        unit: 'of all',
        better: 'lower',
        target: 0.01,
        reference: naive / days,
      },
      {
        name: 'drift.false_alarm_days_high',
        value: wilson(alarmed, days).high,
        unit: 'of all',
        better: 'lower',
        target: null,
        reference: wilson(naive, days).low,
      },
      {
        name: 'drift.stream_false_alarms',
        value: changes,
        unit: 'in a million windows',
        better: 'lower',
        target: 1,
        reference: null,
      },
    ] satisfies Row[]
  },
}

function falseChanges(): number {
  let found = 0
  for (let stream = 0; stream < streamWindows / 10_000; stream++) {
    const random = seededRandom(`streams/${stream}`)
    let streams: SubjectStreams | undefined
    for (let i = 0; i < 10_000; i++) {
      const window = {
        subject: { kind: 'decoy', decoy: 'd', port: 80 },
        drift: 'none',
        profile: drawProfile(calm, 8, random),
      }
      const after = withWindow(streams, window as never)
      streams = after.streams
      found += after.changes.length
    }
  }
  return found
}

async function roundMs(progress: (what: string) => void): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'drift-rounds-'))
  const world = await makeWorld(join(folder, 'db.sqlite'), decoys)
  const random = seededRandom('rounds')
  try {
    for (const [n, windows] of [
      [400, 1],
      [4, 60],
    ] as const) {
      world.clock.advance(120 * minute)
      for (let i = 0; i < windows; i++) {
        world.clock.advance(minute)
        await world.commit(
          'features',
          world.decoys.map((_, decoy) => world.window(decoy, drawProfile(calm, n, random), { seconds: 60 })),
        )
      }
    }
    const times: number[] = []
    for (let i = 0; i < 3; i++) {
      const began = performance.now()
      const { length } = await world.look()
      times.push(performance.now() - began)
      if (length !== decoys) throw new Error(`${length} of ${decoys} decoys were looked at`)
    }
    progress(`rounds took ${times.map((ms) => Math.round(ms)).join(', ')} ms`)
    return percentileOf(times, 50)
  } finally {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
