import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
const words = (text: string) => text.split(/\s+/).filter(Boolean)

/** Process ids of what makes a box a decoy's: the agent with what it started, the engine, and the containers of the agent. */
export type BoxProcesses = { agent: number[]; engine: number[]; containers: number[] }

export function boxProcesses(agentPid: number, agent: string): BoxProcesses {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), ...readStat(name) }))
  const ids = words(run('docker', 'ps', '--quiet', '--no-trunc', '--filter', `label=marshlight.agent=${agent}`))
  const containers = ids.flatMap((id) =>
    words(run('docker', 'top', id, '-eo', 'pid'))
      .slice(1)
      .map(Number),
  )
  const own = (roots: readonly number[]): number[] => {
    const found = new Set(roots)
    for (let before = -1; before !== found.size; ) {
      before = found.size
      for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
    }
    return [...found]
  }
  const engine = all.filter(
    ({ name, line }) =>
      name === 'dockerd' ||
      name === 'containerd' ||
      (name.startsWith('containerd-shim') && ids.some((id) => line.includes(id))),
  )
  return { agent: own([agentPid]), engine: engine.map(({ pid }) => pid), containers }
}

function readStat(pid: string): { name: string; parent: number; line: string } {
  try {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return { name, parent: Number(rest.split(' ')[1]), line }
  } catch {
    return { name: '', parent: 0, line: '' }
  }
}

/** Memory of processes, each shared page counted by its share; MB (2^20 bytes). */
export const proportionalMb = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + fieldOf(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB/m), 0) / 1024

/** Bytes that processes had written to disks so far. */
export const writtenBy = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + fieldOf(`/proc/${pid}/io`, /^write_bytes: (\d+)/m), 0)

function fieldOf(path: string, field: RegExp): number {
  try {
    return Number(field.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
  } catch {
    // It ended between the list and the look.
    return 0
  }
}
