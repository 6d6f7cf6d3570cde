import { setTimeout as delay } from 'node:timers/promises'
import { makeSegment } from '../lab/decoys-segment.ts'
import { startAppliance } from './appliance.ts'
import { boxProcesses, proportionalMb, writtenBy } from './box-processes.ts'
import { cleanedUp } from './clean-up.ts'
import type { Controller } from './controller.ts'
import { decoysOf, isOnline, startWithAppliance } from './latency.ts'
import { makeOwnDisk } from './own-disk.ts'
import type { Bench, Row } from './row.ts'
import { until } from './until.ts'

const third = 235
const decoys = 10
/** A quick pass of the scan, which comes every five minutes, is in each measurement once. */
const seconds = 300
/** After the last decoy is ready, until what it still writes at its start is through. */
const settleSeconds = 45
const daySeconds = 86_400
const config = { decoys: { perSegment: 0, maxPerSegment: decoys, ranges: [decoysOf(third)] } }

type Idle = { diskMb: number; engineMb: number; ram: { agent: number; engine: number; containers: number } }

/**
 * A box with nothing to do: the agent as it is shipped with its own settings, on this machine's engine, in a segment with one
 * neighbour that says nothing; first without a decoy, then with ten. Written: all that the disk of its state folder is
 * given (records, captures, what decoys write, journal and metadata) in five minutes, scaled to a day of 24 hours; scans
 * for details, which come every six hours, and audits are rare and may fall outside. The engine's own writes lie on
 * another disk and are taken from its processes, which may have worked for others meanwhile. Memory: agent, engine and
 * containers, shared pages by their share.
 */
export const fieldIdleBench: Bench = {
  names: [
    'idle.bytes_written_per_day',
    'idle.bytes_written_per_day_no_decoys',
    'idle.engine_bytes_written_per_day',
    'agent.ram_0_decoys_mb',
    'agent.ram_10_decoys_mb',
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const disk = makeOwnDisk(cleanUp, 1024)
      const { controller, identity } = await startWithAppliance(cleanUp, segment, config)
      const { child } = await startAppliance(cleanUp, segment, identity, {}, disk.folder)
      await isOnline(controller)
      const measure = async (what: string): Promise<Idle> => {
        await delay(settleSeconds * 1000)
        progress(`${what}: measuring for ${seconds} s`)
        const before = boxProcesses(child.pid ?? 0, identity.agent)
        const [disk0, engine0] = [disk.written(), writtenBy(before.engine)]
        await delay(seconds * 1000)
        const aDay = (bytes: number) => (bytes / 1e6 / seconds) * daySeconds
        const diskMb = aDay(disk.written() - disk0)
        const engineMb = aDay(writtenBy(before.engine) - engine0)
        const now = boxProcesses(child.pid ?? 0, identity.agent)
        const ram = {
          agent: proportionalMb(now.agent),
          engine: proportionalMb(now.engine),
          containers: proportionalMb(now.containers),
        }
        progress(`${what}: ${diskMb.toFixed(1)} MB a day, engine ${engineMb.toFixed(1)} MB a day, RAM ${inWords(ram)}`)
        return { diskMb, engineMb, ram }
      }
      const without = await measure('no decoys')
      progress(`waiting for ${decoys} decoys`)
      await standUp(controller)
      const within = await measure(`${decoys} decoys`)
      const row = (name: string, value: number, reference: number | null = null): Row => ({
        name,
        value,
        unit: name.startsWith('idle') ? 'MB/day' : 'MB',
        better: 'lower',
        target: null,
        reference,
      })
      return [
        row('idle.bytes_written_per_day', within.diskMb),
        row('idle.bytes_written_per_day_no_decoys', without.diskMb),
        row('idle.engine_bytes_written_per_day', within.engineMb, without.engineMb),
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
  for (let i = 0; i < decoys; i++) await api.post('/v1/decoys', { segment: 'lan' })
  await until(
    async () => {
      const { items } = await api.get<{ items: { phase: string }[] }>('/v1/decoys')
      return items.filter(({ phase }) => phase === 'ready').length >= decoys
    },
    `${decoys} decoys are ready`,
    180,
  )
}
