import { join } from 'node:path'
import type { Scan } from './frame.ts'

/** A file of frames. Plain data: the newest of a stream is written to, all are read. */
export type Segment = {
  path: string
  /** Number of its first record, and the number after its last. */
  first: number
  end: number
  bytes: number
  /** A mark about every 64 KB, so that a reader need not start at the beginning. */
  marks: Mark[]
}
export type Mark = { first: number; offset: number }

const markEveryBytes = 65_536

export const segmentName = (first: number, turn: number): string =>
  `${String(first).padStart(16, '0')}-${String(turn).padStart(4, '0')}.seg`
export const isSegmentName = (name: string): boolean => /^\d{16}-\d{4,}\.seg$/.test(name)

export const newSegment = (folder: string, first: number, turn: number): Segment => ({
  path: join(folder, segmentName(first, turn)),
  first,
  end: first,
  bytes: 0,
  marks: [],
})

/** Notes that a frame beginning at record `first` lies at `offset`. */
export function mark(segment: Segment, first: number, offset: number): void {
  const last = segment.marks.at(-1)
  if (!last || offset - last.offset >= markEveryBytes) segment.marks.push({ first, offset })
}

/** The mark from which a search for record `number` starts. */
export function markBefore(segment: Segment, number: number): Mark {
  let low = 0
  let high = segment.marks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((segment.marks[middle] as Mark).first <= number) low = middle + 1
    else high = middle
  }
  return segment.marks[low - 1] ?? { first: segment.first, offset: 0 }
}

export function segmentOf(path: string, scan: Scan, fallback: number): Segment {
  const [head] = scan.frames
  const segment: Segment = { path, first: head?.head.first ?? fallback, end: fallback, bytes: scan.tail, marks: [] }
  segment.end = segment.first
  for (const { head, offset } of scan.frames) {
    mark(segment, head.first, offset)
    segment.end = Math.max(segment.end, head.first + head.count)
  }
  return segment
}
