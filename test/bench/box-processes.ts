import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
const words = (text: string) => text.split(/\s+/).filter(Boolean)

/** Process ids of what makes a box a decoy's: the agent with what it started, the engine, and the containers of the agent. */
export type BoxProcesses = { agent: number[]; engine: number[]; containers: number[] }

/** `enginePid`: the box's own dockerd, listening at `socket`. */
export function boxProcesses(box: { agentPid: number; enginePid: number; socket: string }): BoxProcesses {
  const docker = (...args: string[]) => words(run('docker', '--host', `unix://${box.socket}`, ...args))
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), ...readStat(name) }))
  const ids = docker('ps', '--quiet', '--no-trunc')
  const containers = ids.flatMap((id) => docker('top', id, '-eo', 'pid').slice(1).map(Number))
  const own = (roots: readonly number[]): number[] => {
    const found = new Set(roots)
    for (let before = -1; before !== found.size; ) {
      before = found.size
      for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
    }
    return [...found]
  }
  // A container's shim leaves the engine, and names its container.
  const shims = all.filter(({ line }) => line.includes('containerd-shim') && ids.some((id) => line.includes(id)))
  const engine = [...own([box.enginePid]), ...shims.map(({ pid }) => pid)]
  return { agent: own([box.agentPid]), engine, containers }
}

function readStat(pid: string): { parent: number; line: string } {
  try {
    // The name, in brackets, may hold anything.
    const rest = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')
    return { parent: Number(rest.split(' ')[1]), line: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }
  } catch {
    return { parent: 0, line: '' }
  }
}

/** Memory of processes, each shared page counted by its share; MB (2^20 bytes). */
export const proportionalMb = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + fieldOf(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB/m), 0) / 1024

function fieldOf(path: string, field: RegExp): number {
  try {
    return Number(field.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
  } catch {
    // It ended between the list and the look.
    return 0
  }
}
