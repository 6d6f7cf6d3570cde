import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Segment } from './decoys-segment.ts'

/** One request of the neighbour: when it was sent (milliseconds since 1970), how long it took, and what came of it. */
export type Asked = { at: number; ms: number; came: string; body: string; port: number | null }

export type Way = { times: number; way: 'kept' | 'fresh'; pauseSeconds?: number }

/** A neighbour that asks for a page again and again, told of as it goes; ends when it is left. */
export const asking = (segment: Segment, ip: string, { times, way, pauseSeconds = 0 }: Way) =>
  linesOf<Asked>(segment, 'http-probe.py', ip, String(times), way, String(pauseSeconds))

/** What a program beside this file says as a neighbour, line by line. */
export async function* linesOf<T>(segment: Segment, name: string, ...words: string[]) {
  const program = [join(import.meta.dirname, name), ...words]
  const asker = spawn('ip', ['netns', 'exec', segment.namespace, 'python3', '-B', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    for await (const line of createInterface({ input: asker.stdout })) yield JSON.parse(line) as T
  } finally {
    asker.kill('SIGKILL')
  }
}

export const asked = (segment: Segment, ip: string, way: Way): Promise<Asked[]> => allOf(asking(segment, ip, way))

export async function allOf<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of lines) all.push(one)
  return all
}

export const medianMs = (all: readonly Asked[]): number =>
  all.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN
