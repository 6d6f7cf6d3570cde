import { setTimeout as delay } from 'node:timers/promises'
import { makeSegment } from '../lab/decoys-segment.ts'
import { startAppliance } from './appliance.ts'
import { boxProcesses, proportionalMb } from './box-processes.ts'
import { cleanedUp } from './clean-up.ts'
import type { Controller } from './controller.ts'
import { decoysOf, isOnline, startWithAppliance } from './latency.ts'
import { makeOwnDisk } from './own-disk.ts'
import { startOwnEngine } from './own-engine.ts'
import type { Bench, Row } from './row.ts'
import { until } from './until.ts'

const third = 235
const decoys = 10
/** A quick pass of the scan, which comes every five minutes, is in each measurement once. */
const seconds = 300
/** After the last decoy is ready, until what its start wrote is on the disk, which the kernel puts off by minutes. */
const settleSeconds = 150
const daySeconds = 86_400
const config = {
  decoys: { perSegment: 0, maxPerSegment: decoys, ranges: [decoysOf(third)], audit: { enabled: false } },
}

type Idle = { writtenMb: number; ram: { agent: number; engine: number; containers: number } }

/**
 * A box with nothing to do: the agent as it is shipped with its own settings, a Docker Engine of its own, a segment with one
 * neighbour that says nothing; first without a decoy, then with ten. Written: all that the disk with the agent's and the
 * engine's folders is given in five minutes (records, captures, what decoys and engine write, journal and metadata), scaled
 * to a day; scans for details, which come every six hours, are not in it, and audits are off. Memory: agent, engine (dockerd,
 * containerd, shims) and containers, shared pages by their share; it is this machine's engine, not the image's.
 */
export const fieldIdleBench: Bench = {
  names: [
    'idle.bytes_written_per_day',
    'idle.bytes_written_per_day_no_decoys',
    'agent.ram_0_decoys_mb',
    'agent.ram_10_decoys_mb',
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const disk = makeOwnDisk(cleanUp, 4096)
      const engine = await startOwnEngine(cleanUp, disk.folder)
      const { controller, identity } = await startWithAppliance(cleanUp, segment, config)
      const { child } = await startAppliance(
        cleanUp,
        segment,
        identity,
        { docker: { socket: engine.socket } },
        disk.folder,
      )
      await isOnline(controller)
      const measure = async (what: string): Promise<Idle> => {
        await delay(settleSeconds * 1000)
        progress(`${what}: measuring for ${seconds} s`)
        const before = disk.written()
        await delay(seconds * 1000)
        const writtenMb = ((disk.written() - before) / 1e6 / seconds) * daySeconds
        const now = boxProcesses({ agentPid: child.pid ?? 0, enginePid: engine.pid, socket: engine.socket })
        const ram = {
          agent: proportionalMb(now.agent),
          engine: proportionalMb(now.engine),
          containers: proportionalMb(now.containers),
        }
        progress(`${what}: ${writtenMb.toFixed(1)} MB written a day, RAM in MB: ${inWords(ram)}`)
        return { writtenMb, ram }
      }
      const without = await measure('no decoys')
      progress(`waiting for ${decoys} decoys`)
      await standUp(controller)
      const within = await measure(`${decoys} decoys`)
      const row = (name: string, value: number): Row => ({
        name,
        value,
        unit: name.startsWith('idle') ? 'MB/day' : 'MB',
        better: 'lower',
        target: null,
        reference: null,
      })
      return [
        row('idle.bytes_written_per_day', within.writtenMb),
        row('idle.bytes_written_per_day_no_decoys', without.writtenMb),
        row('agent.ram_0_decoys_mb', sum(without.ram)),
        row('agent.ram_10_decoys_mb', sum(within.ram)),
      ]
    }),
}

const sum = ({ agent, engine, containers }: Idle['ram']) => agent + engine + containers
const inWords = (ram: Idle['ram']) =>
  Object.entries(ram)
    .map(([what, mb]) => `${what} ${Math.round(mb)}`)
    .join(', ')

/** As many decoys as are asked for, of whatever kind the controller chooses, until all answer. */
async function standUp({ api }: Controller): Promise<void> {
  await until(() => mayHost(api), 'the box may host decoys', 60)
  for (let i = 1; i < decoys; i++) await api.post('/v1/decoys', { segment: 'lan' })
  await until(
    async () => {
      const { items } = await api.get<{ items: { phase: string }[] }>('/v1/decoys')
      return items.filter(({ phase }) => phase === 'ready').length >= decoys
    },
    `${decoys} decoys are ready`,
    300,
  )
}

/** The first of them: what is asked for before the first scan is through is refused. */
const mayHost = (api: Controller['api']): Promise<boolean> =>
  api.post('/v1/decoys', { segment: 'lan' }).then(
    () => true,
    () => false,
  )
