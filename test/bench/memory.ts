import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Scan } from '../../controller/segments/index.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { deployDecoys, startAppliance } from './appliance.ts'
import { cleanedUp } from './clean-up.ts'
import { decoysOf, isOnline, startWithAppliance } from './latency.ts'
import { type Bench, percentileOf, type Row } from './row.ts'
import { plugHosts } from './segment-hosts.ts'

const third = 232
const decoys = 2
/** Real hosts of the segment, by their services. */
const hosts = ['ssh', 'ssh http', 'ssh postgres', 'http ftp', 'smb', 'telnet', 'ssh smb', 'http']
const config = {
  scan: { quickEverySeconds: 30, detailEverySeconds: 60 },
  decoys: { audit: { limit: 0 }, perSegment: 0, ranges: [decoysOf(third)] },
  risk: { thresholds: { alert: 78, deploy: 100, reconfigure: 100, block: 100 }, autoBlock: false },
}
const perSecond = 200
/** The first detail pass over the hosts takes some 100 s, and the next is due a minute after it. */
const seconds = 180
/** Of the time under load, how much is measured: the rest is warming up. */
const measuredSeconds = 120
const ticksPerSecond = 10

/**
 * Memory of a working agent: the bundle with the flags it is shipped with, enrolled to a controller, keeping two Cowrie
 * decoys on this machine's engine, with blocks and health, scanning eight real hosts (a quick pass every half minute, a
 * detail pass every minute), and sending 200 events a second. Those are lines as Cowrie
 * writes them, appended to the decoys' own event files, since so many from real attackers would need the whole machine.
 * RSS and its anonymous part, from smaps_rollup once a second: the median of the last two minutes of three under load.
 */
export const memoryBench: Bench = {
  names: ['memory.agent_rss', 'memory.agent_anonymous', 'memory.agent_rss_most'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      progress(`${hosts.length} hosts`)
      await plugHosts(cleanUp, segment, hosts)
      const { controller, identity } = await startWithAppliance(cleanUp, segment, config)
      const { child, stateDir } = await startAppliance(cleanUp, segment, identity)
      await isOnline(controller)
      progress(`waiting for ${decoys} decoys`)
      const standing = await deployDecoys(controller.api, 'lan', decoys)
      const files = standing.map(({ id }) => join(stateDir, 'decoys', id, 'out/events/events-1.jsonl'))
      progress(`${perSecond} events a second for ${seconds} s`)
      const [rss, anonymous]: [number[], number[]] = [[], []]
      const began = performance.now()
      for (let tick = 0; tick < seconds * ticksPerSecond; tick++) {
        const each = perSecond / ticksPerSecond / files.length
        for (const [i, file] of files.entries()) await appendFile(file, linesOf(tick * each, each, i))
        await delay(Math.max(0, began + ((tick + 1) * 1000) / ticksPerSecond - performance.now()))
        if (tick % ticksPerSecond !== 0 || tick < (seconds - measuredSeconds) * ticksPerSecond) continue
        const memory = await memoryOf(child.pid ?? 0)
        rss.push(memory.rss)
        anonymous.push(memory.anonymous)
      }
      const { items } = await controller.api.get<{ items: { events: number }[] }>('/v1/sessions?limit=50')
      const heard = items.reduce((sum, { events }) => sum + events, 0)
      if (heard < (perSecond * seconds) / 2) throw new Error(`only ${heard} events came to the controller`)
      const { items: scans } = await controller.api.get<{ items: Scan[] }>('/v1/scans?limit=50')
      const through = scans.filter(({ phase, outcome }) => phase === 'detail' && outcome === 'done')
      if (through.length === 0) throw new Error('no detail scan came to its end')
      progress(`${through.length} detail scans came to their end, of ${through[0]?.hostsUp ?? 0} hosts`)
      return [
        row('rss', percentileOf(rss, 50), 80),
        row('anonymous', percentileOf(anonymous, 50), 30),
        row('rss_most', Math.max(...rss), null),
      ]
    }),
}

const row = (name: string, value: number, target: number | null): Row => ({
  name: `memory.agent_${name}`,
  value,
  unit: 'MB',
  better: 'lower',
  target,
  reference: null,
})

/** Commands of a few long sessions, as Cowrie tells them. */
function linesOf(from: number, count: number, decoy: number): string {
  const at = new Date().toISOString()
  return Array.from({ length: count }, (_, i) => {
    const n = from + i
    return `${JSON.stringify({
      eventid: 'cowrie.command.input',
      timestamp: at,
      session: `b${decoy}0000000${n % 8}`,
      protocol: 'ssh',
      src_ip: `198.18.${third}.${100 + (n % 8)}`,
      src_port: 40_000 + (n % 8),
      input: `cat /proc/cpuinfo | grep name | wc -l # ${n}`,
      message: 'CMD: cat /proc/cpuinfo | grep name | wc -l',
      sensor: 'decoy',
    })}\n`
  }).join('')
}

/** Megabytes (2^20 bytes). */
async function memoryOf(pid: number): Promise<{ rss: number; anonymous: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024
  return { rss: megabytes('Rss'), anonymous: megabytes('Anonymous') }
}
