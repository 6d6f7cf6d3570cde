import { z } from 'zod'
import { untrusted } from '../../shared/schemas/common.ts'

/** What the program in the container told. It comes from where attackers are. */
const told = z.object({ tried: z.int().min(1), succeeded: z.array(untrusted(256)).max(16) })

/** `safe`: each try failed. `unsafe`: some did not, in words. `unknown`: it could not be tried, and why. */
export type Verdict =
  | { is: 'safe'; tried: number }
  | { is: 'unsafe'; because: string[] }
  | { is: 'unknown'; because: string }

export function verdictOf(exitCode: number, output: string): Verdict {
  const line = output.trim().split('\n').at(-1) ?? ''
  const parsed = told.safeParse(jsonOrUndefined(line))
  if (exitCode !== 0 || !parsed.success)
    return { is: 'unknown', because: `it ended with ${exitCode}: ${line.slice(0, 200)}` }
  const { tried, succeeded } = parsed.data
  return succeeded.length === 0 ? { is: 'safe', tried } : { is: 'unsafe', because: succeeded }
}

/** What is wrong with the process that keeps the pod's network, by /proc/PID/status; it shall have no right at all. */
export function podTrouble(status: string): string[] {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(status)?.[1] ?? ''
  const held = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].filter((name) => !/^0+$/.test(field(name)))
  const root = field('Uid').split(/\s+/).includes('0')
  return [
    ...held.map((name) => `the pod holds rights: ${name} ${field(name)}`),
    ...(root ? ['the pod runs as root'] : []),
    ...(field('NoNewPrivs') === '1' ? [] : ['the pod may gain rights']),
  ]
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
