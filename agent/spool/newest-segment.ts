import { type FileHandle, open } from 'node:fs/promises'
import { syncFolder } from '../../shared/files.ts'
import { newSegment, type Segment } from './segment.ts'

/**
 * The segment of a stream that is written to, with its handle. Opened when it is needed; `segment.bytes` is where its
 * whole frames end, and what lies behind that is cut before anything else is written.
 */
export class NewestSegment {
  readonly #folder: string
  readonly #fullBytes: number
  #held: { segment: Segment; file: FileHandle } | undefined
  /** A failed write may have left bytes behind the last whole frame. */
  #dirtyTail = false

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
    if (this.#dirtyTail && this.#held) await this.#held.file.truncate(this.#held.segment.bytes)
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
    const { segment, file } = this.#held
    if (this.#dirtyTail) await file.truncate(segment.bytes)
    this.#dirtyTail = true
    for (let written = 0; written < whole.length; )
      written += (await file.write(whole, written, whole.length - written, segment.bytes + written)).bytesWritten
    await file.datasync()
    this.#dirtyTail = false
  }

  isOpen = (segment: Segment): boolean => this.#held?.segment === segment

  async close(): Promise<void> {
    await this.#held?.file.close()
    this.#held = undefined
  }
}

const turnOf = (segment: Segment): number => Number(/-(\d+)\.seg$/.exec(segment.path)?.[1] ?? 0)
