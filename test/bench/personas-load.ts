import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { controllerConfig } from '../../controller/config.ts'
import { personaOf } from '../lab/cowrie-persona.ts'
import { bannerFrom, decoyOf, makeAppliance, planOf, settled } from '../lab/decoys-appliance.ts'
import { makeSegment, type Segment } from '../lab/decoys-segment.ts'
import { cleanedUp } from './clean-up.ts'
import type { Bench, Row } from './row.ts'

const third = 234
const seconds = 30
const perSecond = 200
const connections = 2000
const sources = Array.from({ length: 20 }, (_, i) => `198.18.${third}.${100 + i}`)

type Logins = { accepted: number; denied: number; refused: number; unanswered: number; seconds: number }

/**
 * One decoy under attack beside one that is not. Half a minute of log-ins over SSH, 200 a second from 20 sources, each a
 * connection of its own with one wrong password: handled is what was denied, let in, or turned away as a server past its
 * MaxStartups does; unanswered within 15 s is not. Then 2,000 connections at once. Meanwhile the neighbour is asked for
 * its banner four times a second. Client, decoy and neighbour share this machine's cores.
 */
export const personasLoadBench: Bench = {
  names: [
    ...['decoy.logins_per_minute', 'decoy.logins_unanswered', 'decoy.neighbour_slowest_ms'],
    ...['decoy.connections_survived', 'decoy.load_memory_growth'],
  ],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      for (const source of sources) segment.onNeighbour('ip', 'addr', 'add', `${source}/24`, 'dev', 'h0')
      const appliance = await makeAppliance({ teardown: cleanUp.add }, segment)
      // As decoys are shipped.
      const { limits } = controllerConfig.parse({}).decoys
      const [victim, neighbour] = [
        decoyOf(segment, 20, 'attic-nas', { limits }),
        decoyOf(segment, 21, 'cellar-db', { limits }),
      ]
      await appliance.decoys.start(new AbortController().signal)
      appliance.decoys.applyPlan(planOf(appliance.agent, 1, [victim, neighbour], [personaOf('attic-nas', 1)]))
      await appliance.reported(settled(1), 0, 90)
      const pid = await pidOf(appliance, victim.id)
      const before = await privateMb(pid)
      const watching = flood(segment, 'watch', neighbour.ip)
      cleanUp.add(() => watching.kill('SIGKILL'))
      progress(`${perSecond} log-ins a second for ${seconds} s`)
      const logins = await told<Logins>(flood(segment, 'logins', victim.ip, perSecond * seconds, perSecond))
      progress(JSON.stringify(logins))
      const opened = await told<{ banner: number; refused: number; unanswered: number }>(
        flood(segment, 'connections', victim.ip, connections, connections),
      )
      progress(JSON.stringify(opened))
      watching.stdin?.end()
      const { slowest } = await told<{ slowest: number }>(watching)
      bannerFrom(segment, victim.ip)
      if ((await pidOf(appliance, victim.id)) !== pid) throw new Error('the decoy was started again')
      const handled = logins.accepted + logins.denied + logins.refused
      return [
        row('logins_per_minute', (handled * 60) / logins.seconds, 'a minute', 'higher', 10_000),
        row('logins_unanswered', logins.unanswered, 'log-ins', 'lower', 0),
        row('neighbour_slowest_ms', slowest, 'ms', 'lower', 1000),
        row('connections_survived', opened.banner + opened.refused, 'connections', 'higher', connections),
        row('load_memory_growth', (await privateMb(pid)) - before, 'MB', 'lower', null),
      ]
    }),
}

const row = (name: string, value: number, unit: string, better: Row['better'], target: number | null): Row => ({
  name: `decoy.${name}`,
  value,
  unit,
  better,
  target,
  reference: null,
})

function flood(segment: Segment, what: string, address: string, count = 0, rate = 1): ChildProcess {
  const program = [process.execPath, join(import.meta.dirname, 'flood.ts')]
  const inside = [
    'netns',
    'exec',
    segment.neighbour,
    ...program,
    what,
    address,
    sources.join(','),
    `${count}`,
    `${rate}`,
  ]
  return spawn('ip', inside, { stdio: ['pipe', 'pipe', 'inherit'] })
}

async function told<T>(child: ChildProcess): Promise<T> {
  const output = child.stdout ? text(child.stdout) : Promise.resolve('')
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the flood ended with ${code}`)
  return JSON.parse(await output)
}

async function pidOf({ engine }: Awaited<ReturnType<typeof makeAppliance>>, decoy: string): Promise<number> {
  const found = (await engine.containers()).find(
    ({ labels }) => labels['marshlight.decoy'] === decoy && labels['marshlight.kind'] === 'service',
  )
  if (found?.pid === undefined) throw new Error('the service does not run')
  return found.pid
}

/** Megabytes (2^20 bytes), without what the kernel has merged. */
async function privateMb(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0)
  return (kilobytes('Private_Dirty') + kilobytes('Private_Clean') + kilobytes('KSM')) / 1024
}
