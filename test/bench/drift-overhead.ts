import type { DriftEffect } from '../../shared/schemas/drift.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import { type Decoy, startDecoy } from './drift-applied.ts'
import { medianOfPairs, ownMb, type Pair, paired, processorMs, shownMedian } from './paired.ts'
import type { Bench } from './row.ts'

/** Of a session that is slowed down after many. */
const asksPerBlock = 300
const [pairs, warmUp] = [40, 30]
/** Draws for each answer, and looks for each file, that come to nothing. */
const nothing: DriftEffect[] = [
  { type: 'latency', form: 'jitter', ms: 0, spread: 1 },
  { type: 'error', kind: 'reset', share: 0 },
  { type: 'alteration', what: 'contents', share: 0 },
]

type Cost = { cpuMs: number; ms: number; mb: number }

/**
 * What a drift in the path costs an SSH decoy that has nothing to wait for: processor, commands a second of one client, and
 * memory, in pairs of blocks (`paired.ts`) of one session each.
 */
export const driftOverheadBench: Bench = {
  names: ['drift.cowrie_cpu_percent', 'drift.cowrie_commands_ratio', 'drift.cowrie_memory'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const found = await costsOf(cleanUp)
      const cpu = medianOfPairs(found, ({ without, within }) => (within.cpuMs / without.cpuMs - 1) * 100)
      const rate = medianOfPairs(found, ({ without, within }) => without.ms / within.ms)
      const memory = medianOfPairs(found, ({ without, within }) => within.mb - without.mb)
      progress(
        `SSH, ${found.length} pairs of ${asksPerBlock} commands: CPU ${shownMedian(cpu)} % more, ` +
          `commands a second ${shownMedian(rate)} of those without, memory ${shownMedian(memory)} MB more`,
      )
      return [
        {
          name: 'drift.cowrie_cpu_percent',
          value: cpu.measured,
          unit: '% more',
          better: 'lower',
          target: 10,
          reference: 0,
        },
        {
          name: 'drift.cowrie_commands_ratio',
          value: rate.measured,
          unit: 'ratio',
          better: 'higher',
          target: 0.9,
          reference: 1,
        },
        { name: 'drift.cowrie_memory', value: memory.measured, unit: 'MB', better: 'lower', target: 2, reference: 0 },
      ]
    }),
}

async function costsOf(cleanUp: CleanUp): Promise<Pair<Cost>[]> {
  const decoy: Decoy = await startDecoy(cleanUp)
  const pid = await decoy.pid()
  // A pair has a session of its own.
  let blocks = 0
  let session: Awaited<ReturnType<Decoy['client']>> | undefined
  let lines: Awaited<ReturnType<NonNullable<typeof session>['lines']>> | undefined
  const block = async (kind: keyof Pair<Cost>): Promise<Cost> => {
    await decoy.put(...(kind === 'within' ? nothing : []))
    if (blocks++ % 2 === 0 || !lines) {
      session?.close()
      session = await decoy.client()
      lines = await session.lines()
    }
    await lines.waits(warmUp)
    const before = await processorMs(pid)
    const waits = await lines.waits(asksPerBlock)
    const cpuMs = (await processorMs(pid)) - before
    return { cpuMs, ms: waits.sort((a, b) => a - b)[waits.length >> 1] ?? Number.NaN, mb: await ownMb(pid) }
  }
  await paired(2, block)
  const found = await paired(pairs, block)
  session?.close()
  return found
}
