import { readdir, readFile } from 'node:fs/promises'
import { medianOf } from '../drift/measured-ssh-lines.ts'

/** One thing measured without and with another in its way. */
export type Pair<T> = { without: T; within: T }

/** Blocks of a few hundred milliseconds by turns: what else the machine does falls on both of a pair. */
export async function paired<T>(pairs: number, block: (kind: keyof Pair<T>) => Promise<T>): Promise<Pair<T>[]> {
  const found: Pair<T>[] = []
  for (let i = 0; i < pairs; i++) found.push({ without: await block('without'), within: await block('within') })
  return found
}

/** Median of what each pair says, and the interval of 95 % by ranks. */
export const medianOfPairs = <T>(pairs: readonly Pair<T>[], of: (pair: Pair<T>) => number) => medianOf(pairs.map(of))

/** Processor time that a process has had, milliseconds, as the scheduler counts it: to the nanosecond, not by ticks. */
export async function processorMs(pid: number): Promise<number> {
  let sum = 0
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const line = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0')
    sum += Number(line.split(' ')[0])
  }
  return sum / 1e6
}

/** Memory of its own in MB: what it shares with other programs of the machine is not counted. */
export async function ownMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1024
}

export const shown = (value: number): string => String(Number(value.toPrecision(3)))
export const shownMedian = ({ measured, low, high }: ReturnType<typeof medianOf>): string =>
  `${shown(measured)} (${shown(low)} to ${shown(high)})`
