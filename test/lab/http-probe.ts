import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Segment } from './decoys-segment.ts'

/** One request of the neighbour: when it was sent (milliseconds since 1970), how long it took, and what came of it. */
export type Asked = { at: number; ms: number; came: string; body: string; port: number | null }

export type Way = { times: number; way: 'kept' | 'fresh'; pauseSeconds?: number }

/** A neighbour that asks for a page again and again, told of as it goes; ends when it is left. */
export async function* asking(segment: Segment, ip: string, { times, way, pauseSeconds = 0 }: Way) {
  const program = [join(import.meta.dirname, 'http-probe.py'), ip, String(times), way, String(pauseSeconds)]
  const asker = spawn('ip', ['netns', 'exec', segment.namespace, 'python3', '-B', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    for await (const line of createInterface({ input: asker.stdout })) yield JSON.parse(line) as Asked
  } finally {
    asker.kill('SIGKILL')
  }
}

export async function asked(segment: Segment, ip: string, way: Way): Promise<Asked[]> {
  const all: Asked[] = []
  for await (const one of asking(segment, ip, way)) all.push(one)
  return all
}

export const medianMs = (all: readonly Asked[]): number =>
  all.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN
