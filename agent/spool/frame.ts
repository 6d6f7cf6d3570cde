import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { firstUnwritten, isMark, textEnd } from './laid-out.ts'
import type { Positions } from './port.ts'

/**
 * One frame on disk: [length u32 LE][crc32 u32 LE][payload]. The payload is a head as JSON on its first line, then the
 * records, one a line. Everything of one append lies in one frame, so that it becomes durable together or not at all.
 */
export type FrameHead = {
  first: number
  count: number
  positions?: Positions
  /** Sources that will not come back. */
  forget?: string[]
  /** The write that it was part of began so many bytes before it; none where it is the first of one. */
  back?: number
  /** First frame of a segment only: which epoch its numbers belong to, and all positions up to here. */
  epoch?: string
}

const position = z.object({ file: z.string(), offset: z.number() })
const frameHead = z.object({
  first: z.int().min(0),
  count: z.int().min(0),
  positions: z.record(z.string(), position).optional(),
  forget: z.array(z.string()).optional(),
  back: z.int().min(1).optional(),
  epoch: z.string().optional(),
})

export const frameHeaderBytes = 8
const newline = 10
/** How every payload begins; what a search for the next readable frame looks for. */
const payloadStart = Buffer.from('{"first":')

export function encodeFrame(head: FrameHead, lines: readonly string[]): Buffer {
  // `first` has to be the first key: see payloadStart.
  const { first, ...rest } = head
  const text =
    lines.length === 0
      ? JSON.stringify({ first, ...rest })
      : `${JSON.stringify({ first, ...rest })}\n${lines.join('\n')}`
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(frameHeaderBytes + length)
  frame.write(text, frameHeaderBytes)
  frame.writeUInt32LE(length, 0)
  frame.writeUInt32LE(crc32(frame.subarray(frameHeaderBytes)), 4)
  return frame
}

export type Frame = { head: FrameHead; offset: number; size: number; payload: Buffer }

/** The frame at `offset` of `bytes`; 'short' when it runs past their end, 'bad' when its checksum or head is wrong. */
export function frameAt(bytes: Buffer, offset: number): Frame | 'short' | 'bad' {
  if (offset + frameHeaderBytes > bytes.length) return 'short'
  const length = bytes.readUInt32LE(offset)
  const end = offset + frameHeaderBytes + length
  if (end > bytes.length) return 'short'
  const payload = bytes.subarray(offset + frameHeaderBytes, end)
  if (crc32(payload) !== bytes.readUInt32LE(offset + 4)) return 'bad'
  const head = headOf(payload)
  return head ? { head, offset, size: end - offset, payload } : 'bad'
}

/** The records of a payload as text. */
export function linesOf(payload: Buffer): string[] {
  const headEnd = payload.indexOf(newline)
  return headEnd < 0 ? [] : payload.toString('utf8', headEnd + 1).split('\n')
}

/**
 * The head of a payload whose checksum held. What the writer wrote is not validated again on the reading path: a schema
 * for each frame would cost more than the frame.
 */
export function headOf(payload: Buffer): FrameHead | undefined {
  const end = payload.indexOf(newline)
  try {
    return JSON.parse(
      payload.toString('latin1', 0, 9) === '{"first":' ? payload.toString('utf8', 0, end < 0 ? undefined : end) : '',
    )
  } catch {
    return undefined
  }
}

export type Damage = { offset: number; end: number; records: number }
export type Scan = {
  frames: Frame[]
  /** Stretches that hold no readable frame, though one readable frame follows them or they are whole and wrong. */
  damage: Damage[]
  /** Where the readable part ends; beyond it lies a frame that was never finished. */
  tail: number
}

/** All frames of a segment's bytes, stepping over damaged stretches. Pure; never throws. */
export function scanFrames(bytes: Buffer): Scan {
  const frames: Frame[] = []
  const damage: Damage[] = []
  let offset = 0
  while (offset < bytes.length) {
    const frame = frameAt(bytes, offset)
    if (typeof frame === 'object') {
      frames.push(frame)
      offset += frame.size
      continue
    }
    const next = nextFrame(bytes, offset + 1)
    if (unfinished(bytes, offset, { frame, next })) return { frames, damage, tail: offset }
    const end = next ?? bytes.length
    damage.push({ offset, end, records: recordsIn(bytes, offset, end) })
    offset = end
  }
  return { frames, damage, tail: bytes.length }
}

function nextFrame(bytes: Buffer, from: number): number | undefined {
  let at = bytes.indexOf(payloadStart, from + frameHeaderBytes)
  while (at >= 0) {
    if (typeof frameAt(bytes, at - frameHeaderBytes) === 'object') return at - frameHeaderBytes
    at = bytes.indexOf(payloadStart, at + 1)
  }
  return undefined
}

/**
 * It runs past the end, or shows the laid out space that it was to be written to. `next`: a readable frame behind it, of
 * the same write, which never resolved, as a disk writes its sectors in any order; or of a later one, and it is damaged.
 */
function unfinished(bytes: Buffer, offset: number, at: { frame: 'short' | 'bad'; next: number | undefined }): boolean {
  const { frame, next } = at
  const body = Math.min(offset + frameHeaderBytes, bytes.length)
  const end = frame === 'short' ? bytes.length : body + bytes.readUInt32LE(offset)
  const unwritten = firstUnwritten(bytes, offset, end)
  const torn = unwritten !== undefined && (unwritten < body || !lengthIsWrong(bytes, offset))
  if (next === undefined) return torn || (frame === 'short' && !lengthIsWrong(bytes, offset))
  // Each write that resolved wrote over the mark.
  return torn && unwritten < next && (isMark(bytes, offset) || lastWriteBegan(bytes, next) <= offset)
}

/**
 * Where the write began that the last readable frame from the one at `from` on was part of. A later one that power cut off
 * whole cannot be told from that write's own end: what is lost at once in both is cut without a word.
 */
function lastWriteBegan(bytes: Buffer, from: number): number {
  let began = from
  for (let at: number | undefined = from; at !== undefined; ) {
    const frame = frameAt(bytes, at)
    if (typeof frame === 'object') began = at - (frame.head.back ?? 0)
    at = typeof frame === 'object' ? at + frame.size : nextFrame(bytes, at + 1)
  }
  return began
}

/** A frame that runs past the end was cut by a crash, unless its payload is there and only its length was changed. */
function lengthIsWrong(bytes: Buffer, offset: number): boolean {
  if (offset + frameHeaderBytes > bytes.length) return false
  const from = offset + frameHeaderBytes
  return crc32(bytes.subarray(from, textEnd(bytes, from))) === bytes.readUInt32LE(offset + 4)
}

/** How many records a damaged stretch held: what its heads still say, else its line ends (each record follows one). */
function recordsIn(bytes: Buffer, from: number, to: number): number {
  let lines = 0
  for (
    let at = bytes.indexOf(newline, from + frameHeaderBytes);
    at >= 0 && at < to;
    at = bytes.indexOf(newline, at + 1)
  )
    lines++
  const start = from + frameHeaderBytes
  const headEnd = bytes.indexOf(newline, start)
  try {
    const head = frameHead.parse(JSON.parse(bytes.toString('utf8', start, headEnd < 0 ? to : Math.min(headEnd, to))))
    return Math.max(head.count, lines)
  } catch {
    return lines
  }
}
