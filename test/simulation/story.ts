import type { Centre } from './centre.ts'
import type { Lab } from './lab/index.ts'
import { containerName } from './lab/machines.ts'
import type { Timeline } from './timeline.ts'

/** What the steps share. `began`: milliseconds since 1970 at which the demo started. */
export type Stage = {
  lab: Lab
  centre: Centre
  timeline: Timeline
  began: number
  /** What has to be ended when the story is over, however it ends. */
  atEnd: (() => void)[]
}

/** A decoy that answers, as the controller shows it. */
export type ShownDecoy = {
  id: string
  segment: string
  segmentName?: string
  ip: string
  mac: string
  hostname: string
  personaVersion: number
  family?: string
  phase: string
  status: string
  state?: { phase: string; personaVersion?: number; readyAt?: string }
}

export const secondsSince = (began: number): number => (Date.now() - began) / 1000

export const decoysNow = ({ centre }: Stage): Promise<ShownDecoy[]> => centre.ask('decoys', 'ls')

/** The first line a port shows to a machine of the lab, or undefined when it does not answer within two seconds. */
export async function bannerSeenFrom(
  { lab }: Stage,
  machine: string,
  ip: string,
  port: number,
): Promise<string | undefined> {
  const script = `exec 3<>/dev/tcp/${ip}/${port} && head -n 1 <&3`
  const { code, stdout } = await lab.exec(machine, ['timeout', '2', 'bash', '-c', script])
  return code === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
}

/** Address and port of the first of its services that answers, with what it shows. */
export async function answerOf(
  stage: Stage,
  machine: string,
  ip: string,
): Promise<{ port: number; banner: string } | undefined> {
  const ssh = await bannerSeenFrom(stage, machine, ip, 22)
  if (ssh !== undefined) return { port: 22, banner: ssh }
  return (await reaches(stage, machine, ip, 23)) ? { port: 23, banner: 'a telnet log-in' } : undefined
}

/** Whether a TCP connection from a machine of the lab succeeds within two seconds. */
export async function reaches({ lab }: Stage, machine: string, ip: string, port: number): Promise<boolean> {
  return (await lab.exec(machine, ['timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${ip}/${port}`])).code === 0
}

export const containerOf = (lab: Lab, machine: string) => containerName(lab.name, machine)
