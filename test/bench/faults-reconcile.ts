import { execFileSync, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { newId } from '../../shared/ids.ts'
import { seededRandom } from '../../shared/random.ts'
import type { DesiredDecoy } from '../../shared/schemas/desired-state.ts'
import { makeVictim } from '../faults/victim.ts'
import { decoyOf, planOf } from '../lab/decoys-appliance.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench } from './row.ts'

const third = 235
const kills = 50
/** About as long as a deployment of one decoy takes: whatever it is at is broken off some time. */
const longestMs = 3000
const docker = (...argv: string[]) =>
  execFileSync('docker', argv, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')

/**
 * kill -9 of what brings decoys up and down, 50 times, at any moment: of two decoys one stays, the other is another one in each
 * plan. Once more without a kill, there must be what the plan wants and nothing else; after an empty plan, nothing.
 */
export const faultsReconcileBench: Bench = {
  names: ['faults.reconcile_strays', 'faults.reconcile_left'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const seed = process.env.SEED ?? randomUUID().slice(0, 8)
      const random = seededRandom(seed)
      const folder = await mkdtemp(join(tmpdir(), 'reconcile-'))
      cleanUp.add(() => rm(folder, { recursive: true, force: true }))
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const agent = newId()
      const plan = join(folder, 'plan.json')
      const program = join(import.meta.dirname, '../faults/decoys.ts')
      const words = [plan, join(folder, 'state'), segment.nic, segment.cidr, segment.address]
      const troubles: string[] = []
      const launch = () => fork(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      const victim = makeVictim('decoys', launch, (what) => {
        // What had come to its end was not killed.
        if (!what.endsWith('(0)')) troubles.push(what)
      })
      const ours = ['--filter', `label=marshlight.agent=${agent}`]
      const standing = () =>
        docker('ps', '-a', ...ours, '--format', '{{.Label "marshlight.decoy"}} {{.Label "marshlight.kind"}} {{.State}}')
      const networks = () => docker('network', 'ls', '-q', ...ours)
      let revision = 0
      const want = async (decoys: DesiredDecoy[]) => {
        revision++
        await writeFile(plan, JSON.stringify(planOf(agent, revision, decoys)))
      }
      const toTheEnd = async (decoys: DesiredDecoy[]) => {
        await want(decoys)
        const [code] = await once(launch(), 'exit')
        if (code !== 0) throw new Error(`seed ${seed}: without a kill it did not come to an end (${code})`)
      }
      cleanUp.add(() => toTheEnd([]))
      const stays = decoyOf(segment, 20, 'attic-nas')
      const other = (n: number) => decoyOf(segment, 21 + (n % 3), `cellar-${n}`)
      progress(`seed ${seed}: ${kills} kills`)
      while (victim.kills < kills) {
        await want([stays, other(revision)])
        victim.start()
        await delay(random() * longestMs)
        await victim.kill()
      }
      if (troubles.length > 0) throw new Error(`seed ${seed}: ${troubles.join('; ')}`)
      const last = [stays, other(revision)]
      await toTheEnd(last)
      const wanted = last.flatMap(({ id }) => ['pod', 'service'].map((kind) => `${id} ${kind} running`))
      const found = standing()
      const strays = differences(wanted, found) + Math.abs(networks().length - 1)
      progress(`of ${wanted.length} containers ${found.length} stand, ${networks().length} network`)
      await toTheEnd([])
      const left = standing().length + networks().length
      const row = { unit: 'parts', better: 'lower', target: 0, reference: null } as const
      return [
        { name: 'faults.reconcile_strays', value: strays, ...row },
        { name: 'faults.reconcile_left', value: left, ...row },
      ]
    }),
}

/** What is missing and what is too much. */
function differences(wanted: readonly string[], found: readonly string[]): number {
  const more = [...found]
  const missing = wanted.filter((one) => {
    const at = more.indexOf(one)
    if (at >= 0) more.splice(at, 1)
    return at < 0
  })
  return missing.length + more.length
}
