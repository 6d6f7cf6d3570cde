import type { Box } from './box.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'
import { until } from './wait.ts'

/** Emulated processors are some ten times as slow as real ones. */
export const patienceSeconds = 1500

export type FirstBootOptions = {
  tell: (line: string) => void
  onLine?: (line: string) => void
  upTo?: 'connected'
  /** Before it is switched off. */
  whileOn?: (machine: Machine) => Promise<void>
}

const words = {
  console: 'the console shows something',
  claimed: 'claimed: the controller has it among its agents',
  connected: 'connected',
  scanned: 'scanned: both hosts are in the inventory',
  decoy: 'a decoy answers a neighbour',
}
export type Seconds = { [step in keyof typeof words]?: number }

type Agents = { items: { name: string; presence: string; status: string; version: string | null }[] }
type Segment = { hosts: { ip: string; status: string }[] }
type Decoys = { items: { ip: string; hostname: string }[] }

export const agentsOf = async ({ api }: Place) => (await api.get<Agents>('/v1/agents')).items

export const claimed = (place: Place, machine: Machine, name: string) =>
  until(
    machine,
    `${name} is claimed`,
    async () => (await agentsOf(place)).some((one) => one.name === name),
    patienceSeconds,
  )

export const connected = (place: Place, machine: Machine, name: string) =>
  until(
    machine,
    `${name} is connected`,
    async () => (await agentsOf(place)).some((one) => one.name === name && one.presence === 'online'),
    patienceSeconds,
  )

async function scanned({ api }: Place): Promise<boolean> {
  const { hosts } = await api.get<Segment>('/v1/segments/office')
  const up = hosts.filter(({ status }) => status === 'up').map(({ ip }) => ip.split('.').at(-1))
  return ['21', '22'].every((last) => up.includes(last))
}

/** What the first decoy that answers tells a neighbour. */
async function answer({ api, neighbourReads }: Place): Promise<string | undefined> {
  for (const { ip, hostname } of (await api.get<Decoys>('/v1/decoys')).items)
    for (const port of [22, 80, 23, 21]) {
      const line = await neighbourReads(ip, port)
      if (line !== undefined) return `${hostname} at ${ip}, port ${port}: ${line}`
    }
  return undefined
}

/**
 * From power-on to a watching segment, with nobody at it. Seconds from the mains on to each step, as the world sees it: a
 * first line on the console, the controller's list of agents, its inventory with both hosts of the segment, and a service
 * of a decoy that tells a neighbour something.
 */
export async function firstBoot(place: Place, box: Box, name: string, o: FirstBootOptions): Promise<Seconds> {
  const began = performance.now()
  const times: Seconds = {}
  const mark = (step: keyof Seconds) => {
    times[step] = Math.round((performance.now() - began) / 100) / 10
    o.tell(`${String(times[step]).padStart(7)} s  ${words[step]}`)
  }
  const machine = await box.powerOn(o.onLine)
  try {
    await machine.says(/\S/, 120)
    mark('console')
    await claimed(place, machine, name)
    mark('claimed')
    await connected(place, machine, name)
    mark('connected')
    if (o.upTo !== 'connected') {
      await until(machine, 'the scan finds both hosts', () => scanned(place), patienceSeconds)
      mark('scanned')
      let said: string | undefined
      const answers = async () => {
        said = await answer(place)
        return said !== undefined
      }
      await until(machine, 'a decoy answers a neighbour', answers, patienceSeconds)
      mark('decoy')
      o.tell(`           ${said}`)
    }
    await o.whileOn?.(machine)
    return times
  } finally {
    await machine.cut()
  }
}
