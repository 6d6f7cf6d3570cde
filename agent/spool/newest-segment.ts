import { type FileHandle, open } from 'node:fs/promises'
import { syncFolder } from '../../shared/files.ts'
import { laidOut } from './laid-out.ts'
import { newSegment, type Segment } from './segment.ts'

/**
 * The segment of a stream that is written to, with its handle. Opened when it is needed; `segment.bytes` is where its
 * whole frames end, and what lies behind that is laid out for more of them, or cut before anything else is written.
 */
export class NewestSegment {
  readonly #folder: string
  readonly #fullBytes: number
  #held: { segment: Segment; file: FileHandle } | undefined
  /** A failed write may have left bytes behind the last whole frame. */
  #dirtyTail = false
  /** Up to here the file is laid out; 0 where nothing is, behind the frames. */
  #laid = 0

  constructor(folder: string, fullBytes: number) {
    this.#folder = folder
    this.#fullBytes = fullBytes
  }

  /** Opens `last`, or begins one at record `next` where there is none or `bytes` more would overfill it. */
  async open(last: Segment | undefined, bytes: number, next: number): Promise<Segment> {
    const full = last && last.bytes > 0 && last.bytes + bytes > this.#fullBytes
    if (last && !full) {
      this.#held ??= { segment: last, file: await open(last.path, 'r+') }
      return this.#held.segment
    }
    await this.#cut()
    const turn = last?.first === next ? turnOf(last) + 1 : 0
    const segment = newSegment(this.#folder, next, turn)
    const file = await open(segment.path, 'w+', 0o600)
    await syncFolder(this.#folder)
    await this.#held?.file.close()
    this.#dirtyTail = false
    this.#held = { segment, file }
    return segment
  }

  /** Makes `whole` durable behind the whole frames of the open segment, whose `bytes` the caller moves on. */
  async write(whole: Buffer): Promise<void> {
    if (!this.#held) throw new Error('no segment is open')
    const { segment } = this.#held
    if (this.#dirtyTail) await this.#cut()
    const { bytes, end } = laidOut(whole, segment.bytes, this.#laid)
    this.#dirtyTail = true
    try {
      await this.#put(bytes, segment.bytes)
    } catch (error) {
      if (bytes.length === whole.length || (error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      // What is left of the disk may hold the frames alone.
      await this.#cut()
      await this.#put(whole, segment.bytes)
      this.#dirtyTail = false
      return
    }
    this.#laid = end
    this.#dirtyTail = false
  }

  async #put(bytes: Buffer, at: number): Promise<void> {
    const { file } = this.#held as { file: FileHandle }
    for (let written = 0; written < bytes.length; )
      written += (await file.write(bytes, written, bytes.length - written, at + written)).bytesWritten
    await file.datasync()
  }

  /** Nothing stays behind the whole frames. */
  async #cut(): Promise<void> {
    if (this.#held && (this.#dirtyTail || this.#laid > 0)) await this.#held.file.truncate(this.#held.segment.bytes)
    this.#laid = 0
  }

  isOpen = (segment: Segment): boolean => this.#held?.segment === segment

  async close(): Promise<void> {
    // Whoever reads it next cuts it as well.
    await this.#cut().catch(() => undefined)
    await this.#held?.file.close()
    this.#held = undefined
  }
}

const turnOf = (segment: Segment): number => Number(/-(\d+)\.seg$/.exec(segment.path)?.[1] ?? 0)
