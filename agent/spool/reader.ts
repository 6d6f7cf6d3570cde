import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { type FrameHead, frameHeaderBytes, headOf, linesOf } from './frame.ts'
import { markBefore, type Segment } from './segment.ts'

export type ReadLimit = { bytes: number; records: number }
type Place = { number: number; segment: Segment; offset: number }

/**
 * Reads frames of a stream in order, by synchronous reads of at most a chunk: they come from the page cache nearly
 * always, and cost less than a turn through the thread pool. Remembers where the last read ended, since reads follow
 * each other.
 */
export class FrameReader {
  readonly #scratch: { chunk: Buffer }
  #open: { path: string; fd: number } | undefined
  #place: Place | undefined
  /** The frame that the last read ended within, so that a large one is split into lines once. */
  #half: { first: number; lines: string[]; segment: Segment; after: number } | undefined
  #chunkOf: { path: string; from: number; length: number } | undefined

  /** `scratch` is shared by the readers of a spool: no read is ever interrupted by another. */
  constructor(scratch: { chunk: Buffer }) {
    this.#scratch = scratch
  }

  /** Records from `from` up to, without, `end`, within the limit but at least one; or 'damaged' and where. */
  read(segments: readonly Segment[], from: number, end: number, limit: ReadLimit): string[] | { damaged: Segment } {
    const taken: string[] = []
    const budget = { ...limit }
    let number = from
    const half = this.#half
    if (half && number >= half.first && number < half.first + half.lines.length && segments.includes(half.segment)) {
      number = take(half.lines, half.first, number, end, taken, budget)
      if (number < half.first + half.lines.length) return taken
      this.#half = undefined
      this.#place = { number, segment: half.segment, offset: half.after }
    }
    this.#half = undefined
    let place = this.#placeOf(segments, number)
    this.#chunkOf = undefined
    while (place && number < end && budget.records > 0 && budget.bytes > 0) {
      if (place.offset >= place.segment.bytes) {
        const next: Segment | undefined = segments[segments.indexOf(place.segment) + 1]
        if (!next) break
        place = { number, segment: next, offset: 0 }
        continue
      }
      const frame = this.#frame(place.segment, place.offset)
      if (!frame) return taken.length > 0 ? taken : { damaged: place.segment }
      const after: number = place.offset + frame.size
      const { first, count } = frame.head
      if (first > number) break
      if (first + count > number) {
        const lines = linesOf(frame.payload)
        number = take(lines, first, number, end, taken, budget)
        if (number < first + count) {
          this.#half = { first, lines, segment: place.segment, after }
          break
        }
      }
      place = { number, segment: place.segment, offset: after }
    }
    if (place) this.#place = { ...place, number }
    return taken
  }

  /** Forgets what was read: files were removed or replaced. */
  close(): void {
    if (this.#open) closeSync(this.#open.fd)
    this.#open = undefined
    this.#place = undefined
    this.#half = undefined
    this.#chunkOf = undefined
  }

  #placeOf(segments: readonly Segment[], number: number): Place | undefined {
    if (this.#place?.number === number && segments.includes(this.#place.segment)) return this.#place
    const segment = segments.find((candidate) => candidate.end > number)
    return segment && { number, segment, offset: markBefore(segment, number).offset }
  }

  #frame(segment: Segment, offset: number): { head: FrameHead; payload: Buffer; size: number } | undefined {
    const header = this.#bytes(segment, offset, frameHeaderBytes)
    if (!header) return undefined
    const length = header.readUInt32LE(0)
    const crc = header.readUInt32LE(4)
    if (offset + frameHeaderBytes + length > segment.bytes) return undefined
    const payload = this.#bytes(segment, offset + frameHeaderBytes, length)
    if (!payload || crc32(payload) !== crc) return undefined
    const head = headOf(payload)
    return head && { head, payload, size: frameHeaderBytes + length }
  }

  /** `length` bytes at `offset`, valid until the next call. */
  #bytes(segment: Segment, offset: number, length: number): Buffer | undefined {
    const chunk = this.#chunkOf
    if (chunk?.path !== segment.path || offset < chunk.from || offset + length > chunk.from + chunk.length) {
      if (this.#scratch.chunk.length < length) this.#scratch.chunk = Buffer.allocUnsafeSlow(length)
      const wanted = Math.min(this.#scratch.chunk.length, segment.bytes - offset)
      const got = readSync(this.#fd(segment.path), this.#scratch.chunk, 0, wanted, offset)
      this.#chunkOf = { path: segment.path, from: offset, length: got }
      if (got < length) return undefined
    }
    const from = offset - (this.#chunkOf as { from: number }).from
    return this.#scratch.chunk.subarray(from, from + length)
  }

  #fd(path: string): number {
    if (this.#open?.path === path) return this.#open.fd
    if (this.#open) closeSync(this.#open.fd)
    this.#open = undefined
    this.#open = { path, fd: openSync(path, 'r') }
    return this.#open.fd
  }
}

/** Moves lines from number `from` on to `taken` while the budget lasts; returns the number after the last taken. */
function take(
  lines: readonly string[],
  first: number,
  from: number,
  end: number,
  taken: string[],
  budget: ReadLimit,
): number {
  let number = from
  while (number < first + lines.length && number < end && budget.records > 0) {
    const line = lines[number - first] as string
    const bytes = Buffer.byteLength(line) + 1
    if (bytes > budget.bytes && taken.length > 0) {
      budget.bytes = 0
      break
    }
    taken.push(line)
    budget.bytes -= bytes
    budget.records--
    number++
    if (budget.bytes <= 0) break
  }
  return number
}
