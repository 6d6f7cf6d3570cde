import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DecoyDrift, type DriftEffect, noDrift } from '../../shared/schemas/drift.ts'
import { eventually } from '../lab/cowrie-pod.ts'
import { asked, medianMs } from '../lab/http-probe.ts'
import { cleanedUp } from './clean-up.ts'
import { type Decoy, startDecoy } from './drift-applied-http.ts'
import { medianOfPairs, ownMb, type Pair, paired, processorMs, shownMedian } from './paired.ts'
import type { Bench } from './row.ts'

/** So many that a block without is over before the process ends that has nothing to do (three seconds). */
const asksPerBlock = 200
const pairs = 24
const effect: DriftEffect = { type: 'latency', form: 'fixed', ms: 0, spread: 0 }
const nothing: DecoyDrift = { everyone: { seed: 'bench', effects: [effect] }, views: [] }

type Cost = { cpuMs: number; ms: number }

/**
 * What it costs a decoy's web page that every answer takes the way through the process of drift: that process's processor
 * and memory, and the answers a second of one client against those without, in pairs of blocks (`paired.ts`). Each block
 * counts the packets that came through the queue, so that none is taken for what it is not.
 */
export const driftOverheadHttpBench: Bench = {
  names: ['drift.pod_cpu_ms_per_1000_answers', 'drift.pod_memory', 'drift.pod_throughput_ratio'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const decoy = await startDecoy(cleanUp)
      await decoy.applied([effect])
      const block = await makeBlock(decoy)
      await paired(1, block)
      const found = await paired(pairs, block)
      const cpu = medianOfPairs(found, ({ within }) => (within.cpuMs * 1000) / asksPerBlock)
      const ratio = medianOfPairs(found, ({ without, within }) => without.ms / within.ms)
      const added = medianOfPairs(found, ({ without, within }) => within.ms - without.ms)
      const memory = await ownMb(await processOf(decoy))
      progress(
        `HTTP, ${pairs} pairs of ${asksPerBlock} answers: ${shownMedian(cpu)} ms of processor for 1000 answers, each ` +
          `${shownMedian(added)} ms later, answers a second ${shownMedian(ratio)} of those without`,
      )
      return [
        {
          name: 'drift.pod_cpu_ms_per_1000_answers',
          value: cpu.measured,
          unit: 'ms',
          better: 'lower',
          target: 500,
          reference: 0,
        },
        { name: 'drift.pod_memory', value: memory, unit: 'MB', better: 'lower', target: 16, reference: 0 },
        {
          name: 'drift.pod_throughput_ratio',
          value: ratio.measured,
          unit: 'of none',
          better: 'higher',
          target: 0.7,
          reference: 1,
        },
      ]
    }),
}

const processOf = (decoy: Decoy): Promise<number> =>
  eventually(async () => decoy.processes()[0], 'the process of drift is there', 20)

async function makeBlock(decoy: Decoy) {
  const pid = await processOf(decoy)
  const file = join(decoy.stateDir, 'decoys', decoy.decoy.id, 'control/drift.json')
  const ask = (times: number) => asked(decoy.segment, decoy.decoy.ip, { times, way: 'kept' })
  /** How many packets have come to the queue (nfnetlink_queue in proc(5): the eighth number counts them). */
  const queued = async () =>
    Number((await readFile(`/proc/${pid}/net/netfilter/nfnetlink_queue`, 'utf8')).trim().split(/\s+/)[7])
  const through = async () => {
    const before = await queued()
    await ask(3)
    return (await queued()) > before
  }
  return async (kind: keyof Pair<Cost>): Promise<Cost> => {
    // As the agent puts it there, without the agent: the process stays, its rules come and go.
    await writeFile(`${file}.new`, JSON.stringify(kind === 'within' ? nothing : noDrift))
    await rename(`${file}.new`, file)
    const there = async () => ((await through()) === (kind === 'within') ? true : undefined)
    await eventually(there, `answers take the way ${kind} drift`, 5)
    const [before, packets] = [await processorMs(pid), await queued()]
    const all = await ask(asksPerBlock)
    const [cpuMs, came] = [(await processorMs(pid)) - before, (await queued()) - packets]
    if (kind === 'within' ? came < asksPerBlock : came > 0) throw new Error(`${came} packets were queued ${kind} drift`)
    return { cpuMs, ms: medianMs(all) }
  }
}
