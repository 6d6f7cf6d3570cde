import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makePageSharingProbe } from '../../agent/health/index.ts'
import { builtPersona } from '../lab/audit-lab.ts'
import { decoyOf, makeAppliance, planOf, settled } from '../lab/decoys-appliance.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import type { Bench } from './row.ts'
import { until } from './until.ts'

const run = promisify(execFile)
const third = 233
/** What a segment may have: some of a kind, none like the other. */
const hosts = [
  ['db-1', 'debian-12'],
  ['attic-nas', 'ubuntu-22.04'],
  ['mail', 'rocky-9'],
  ['print-server-3', 'debian-12'],
  ['wiki', 'ubuntu-22.04'],
  ['backup-2', 'rocky-9'],
] as const
/** Looks in a row, five seconds apart, in which no decoy lost more than 0.1 MB of private memory. */
const steadyLooks = 3

/**
 * What one more decoy costs: six of them as the agent makes them, each with a persona of its own as the controller builds them, at rest, with the
 * kernel merging equal pages at the agent's pace. Of each service process Private_Clean + Private_Dirty of smaps_rollup:
 * the kernel counts a merged page there as shared as soon as a second process maps it, so pages that only this decoy has
 * are left. The mean of the six. The reference is stock Cowrie, one process of the same image, which shares nothing.
 * `shared_once`: what the first of them holds together with the others, paid once an appliance.
 */
export const personasMemoryBench: Bench = {
  names: ['decoy.private_memory', 'decoy.shared_memory_once'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const appliance = await makeAppliance({ teardown: cleanUp.add }, segment)
      const personas = await Promise.all(
        hosts.map(([hostname, family]) => builtPersona(family, hostname, `memory of ${hostname}`)),
      )
      const wanted = personas.map(({ id, hostname }, i) => decoyOf(segment, 20 + i, hostname, { persona: id }))
      await appliance.decoys.start(new AbortController().signal)
      appliance.decoys.applyPlan(planOf(appliance.agent, 1, wanted, personas))
      await appliance.reported(settled(1), 0, 90)
      progress(`${hosts.length} decoys and a stock Cowrie stand`)
      const stock = await stockCowrie(cleanUp)
      const sharing = await makePageSharingProbe({ stateDir: appliance.stateDir }).measure()
      if (!sharing.ok) progress(sharing.detail)
      const pids = (await appliance.engine.containers()).flatMap(({ labels, pid }) =>
        labels['marshlight.kind'] === 'service' && pid !== undefined ? [pid] : [],
      )
      if (pids.length !== hosts.length) throw new Error(`${pids.length} services run, not ${hosts.length}`)
      const memories = await steady(pids, progress)
      const value = memories.reduce((sum, one) => sum + one.privateMb, 0) / hosts.length
      const common = { unit: 'MB', better: 'lower' as const }
      return [
        { name: 'decoy.private_memory', value, ...common, target: 6, reference: (await memoryOf(stock)).privateMb },
        {
          name: 'decoy.shared_memory_once',
          value: memories[0]?.mergedMb ?? Number.NaN,
          ...common,
          target: null,
          reference: null,
        },
      ]
    }),
}

export async function steady(pids: readonly number[], progress: (what: string) => void) {
  let before = Number.POSITIVE_INFINITY
  let same = 0
  for (let look = 0; look < 36; look++) {
    const memories = await Promise.all(pids.map(memoryOf))
    const sum = memories.reduce((total, one) => total + one.privateMb, 0)
    same = before - sum < 0.1 * pids.length ? same + 1 : 0
    // Before the kernel's first pass nothing is merged, and that is steady too.
    if (same >= steadyLooks && memories.some(({ mergedMb }) => mergedMb > 0)) return memories
    before = sum
    await delay(5000)
  }
  progress('the kernel still merges after three minutes')
  return Promise.all(pids.map(memoryOf))
}

/** Cowrie as it comes, with its own settings, run as its manual says. Returns its process. */
async function stockCowrie(cleanUp: CleanUp): Promise<number> {
  const name = `marshlight-bench-stock-${process.pid}`
  const start =
    'import sys; sys.argv = ["twistd", "-n", "--pidfile=", "cowrie"]; from twisted.scripts.twistd import run; run()'
  const place = ['--network', 'none', '--tmpfs', '/work:uid=2600', '--workdir', '/work', '--user', '2600:2600']
  cleanUp.add(() => run('docker', ['rm', '-f', name]))
  await run('docker', [
    ...['run', '-d', '--name', name, ...place, '--entrypoint', 'python3', 'marshlight/cowrie:dev', '-c', start],
  ])
  await until(async () => (await run('docker', ['logs', name])).stdout.includes('Ready to accept'), 'stock Cowrie', 60)
  return Number((await run('docker', ['inspect', '-f', '{{.State.Pid}}', name])).stdout)
}

/** Megabytes (2^20 bytes) of one process, and of those it holds together with others by merging. */
async function memoryOf(pid: number): Promise<{ privateMb: number; mergedMb: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024
  return { privateMb: megabytes('Private_Clean') + megabytes('Private_Dirty'), mergedMb: megabytes('KSM') }
}
