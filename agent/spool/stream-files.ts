import { rm } from 'node:fs/promises'
import type { Log } from '../../shared/log.ts'
import type { Loss } from '../../shared/schemas/envelope.ts'
import { writeCursor } from './cursor.ts'
import { addLoss, type Losses, lossesFrom } from './losses.ts'
import { NewestSegment } from './newest-segment.ts'
import { behind, type NumberedFrame, numberedFrame } from './numbered-frame.ts'
import type { Positions } from './port.ts'
import { FrameReader, type ReadLimit } from './reader.ts'
import { recoverStream, type SetAside } from './recovery.ts'
import { mark, type Segment } from './segment.ts'

export type FilesDeps = {
  folder: string
  log: Log
  now: () => number
  newEpoch: () => string
  segmentBytes: number
  scratch: { chunk: Buffer }
  onSetAside: (found: SetAside[]) => void
}

type Moved = { positions: Positions | undefined; forget: string[] | undefined }

/** An acknowledged newest segment of at least this part of a full one is removed too. */
const staleShare = 0.25

/**
 * What one stream has on disk, and where it stands by that.
 *
 *   store -> newest segment, fsync -> durableNext
 *   trim, drop -> cursor written, then segments deleted
 *
 * Invariants: every number from `acknowledged` up to `next` is in a segment or in `losses`; a segment goes only when
 * something else on disk tells of its numbers. Whatever changes files is called one at a time.
 */
export class StreamFiles {
  readonly #deps: FilesDeps
  readonly #reader: FrameReader
  readonly #newest: NewestSegment
  #epoch = ''
  #acknowledged = 0
  #next = 0
  /**
   * The disk knows that numbers below this are given. Nothing from here on is shown: a loss that the centre acknowledged
   * but a restart forgot would have its number given again, to a record the centre then takes for known.
   */
  #durableNext = 0
  #losses: Losses = []
  #segments: Segment[] = []
  #positions = new Map<string, { file: string; offset: number }>()
  #cursorStale = false
  /** Losses that no cursor on disk names yet. */
  #lossesStale = false

  constructor(deps: FilesDeps) {
    this.#deps = deps
    this.#reader = new FrameReader(deps.scratch)
    this.#newest = new NewestSegment(deps.folder, deps.segmentBytes)
  }

  async open(): Promise<SetAside[]> {
    const found = await recoverStream(this.#deps.folder, { now: this.#deps.now(), newEpoch: this.#deps.newEpoch })
    this.#epoch = found.epoch
    this.#acknowledged = found.acknowledged
    this.#next = found.next
    this.#durableNext = found.next
    this.#losses = found.losses
    this.#segments = found.segments
    this.#positions = found.positions
    if (found.fresh || found.setAside.length > 0) {
      this.#cursorStale = true
      await this.saveCursor().catch((error) => {
        this.#durableNext = Math.max(this.#acknowledged, this.#segments.at(-1)?.end ?? 0)
        this.#deps.log.warn({ err: error }, 'cursor not written')
      })
    }
    return found.setAside
  }

  async close(): Promise<void> {
    await this.#newest.close()
    if (this.#cursorStale)
      await this.saveCursor().catch((error) => this.#deps.log.warn({ err: error }, 'cursor not written'))
    this.#reader.close()
  }

  standing = () => ({ epoch: this.#epoch, acknowledged: this.#acknowledged, next: this.#durableNext })
  /** The number that the next record gets. */
  next = (): number => this.#next
  bytes = (): number => this.#segments.reduce((sum, segment) => sum + segment.bytes, 0)
  positionOf = (source: string) => this.#positions.get(source)
  losses = (): Losses => this.#losses

  /** Everything below `next` is acknowledged. True when a whole segment is, so that trimming is worth while. */
  acknowledged(next: number): boolean {
    this.#acknowledged = next
    this.#losses = lossesFrom(this.#losses, next)
    this.#cursorStale = true
    const [oldest] = this.#segments
    return oldest !== undefined && oldest.end <= next
  }

  /** Numbers that were given and are in no segment. */
  lost(loss: Loss): void {
    this.#losses = addLoss(this.#losses, loss)
    this.#cursorStale = true
    this.#lossesStale = true
  }

  /** Numbers below `next` are given, and their sources stand where `moved` says. */
  advance(next: number, moved: readonly Moved[]): void {
    this.#next = next
    for (const { positions, forget } of moved) {
      for (const [source, position] of Object.entries(positions ?? {})) this.#positions.set(source, position)
      for (const source of forget ?? []) this.#positions.delete(source)
    }
  }

  /** Lines from `first` on; undefined when they cannot be read as the segments are known now. */
  read(first: number, end: number, limit: ReadLimit): string[] | undefined {
    try {
      const read = this.#reader.read(this.#segments, first, end, limit)
      if (Array.isArray(read) && read.length > 0) return read
    } catch (error) {
      this.#deps.log.debug({ err: error }, 'reading again')
    }
    this.#reader.close()
    return undefined
  }

  /** Makes the frames, with numbers up to `end`, durable. Throws what the disk says; none of them is there then. */
  async store(frames: readonly NumberedFrame[], end: number): Promise<void> {
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes.length, 0)
    const last = this.#segments.at(-1)
    const segment = await this.#newest.open(last, bytes, this.#next)
    if (segment !== last) this.#segments.push(segment)
    let parts = frames
    if (segment.bytes === 0) {
      const positions = Object.fromEntries(this.#positions)
      parts = behind(numberedFrame({ first: this.#next, count: 0, epoch: this.#epoch, positions }, [], 0), frames)
    }
    await this.#newest.write(Buffer.concat(parts.map((part) => part.bytes)))
    for (const part of parts) {
      mark(segment, part.first, segment.bytes)
      segment.bytes += part.bytes.length
    }
    segment.end = end
    this.#durableNext = end
  }

  /** Writes the cursor if losses are in none on disk yet; where that fails, a later one will tell them. */
  async tellLosses(): Promise<void> {
    if (this.#lossesStale) await this.saveCursor().catch(() => {})
  }

  /** Drops the oldest segment, counted as lost; the newest too where `newestToo`. False when none is there to drop. */
  async drop(reason: Loss['reason'], newestToo: boolean): Promise<boolean> {
    const [oldest] = this.#segments
    if (!oldest || oldest.bytes === 0) return false
    const newest = this.#segments.length === 1
    if (newest && !newestToo && oldest.end > this.#acknowledged) return false
    const from = Math.max(oldest.first, this.#acknowledged)
    const before = this.#losses
    if (oldest.end > from) this.#losses = addLoss(before, { from, to: oldest.end - 1, reason })
    try {
      await this.saveCursor()
    } catch (error) {
      // Only this segment still knows the next number: without a cursor it must stay.
      if (newest) {
        this.#losses = before
        return false
      }
      this.#cursorStale = true
      this.#lossesStale = true
      this.#deps.log.debug({ err: error }, 'cursor waits for space')
    }
    try {
      await this.#remove([oldest])
    } catch (error) {
      this.#losses = before
      this.#cursorStale = true
      this.#deps.log.warn({ err: error }, 'a segment cannot be removed')
      return false
    }
    this.#deps.log.warn({ reason, from, to: oldest.end - 1, bytes: oldest.bytes }, 'dropped the oldest records')
    return true
  }

  async trim(): Promise<void> {
    const gone = this.#segments.filter((segment, index) => {
      if (segment.end > this.#acknowledged) return false
      return index < this.#segments.length - 1 || segment.bytes >= this.#deps.segmentBytes * staleShare
    })
    if (gone.length === 0) return
    try {
      await this.saveCursor()
      await this.#remove(gone)
    } catch (error) {
      // A read-only disk: they stay, and the centre ignores what it knows already.
      this.#deps.log.warn({ err: error }, 'acknowledged records cannot be removed')
    }
  }

  async repair(): Promise<void> {
    await this.saveCursor()
    await this.#newest.close()
    this.#reader.close()
    const found = await recoverStream(this.#deps.folder, { now: this.#deps.now(), newEpoch: this.#deps.newEpoch })
    this.#segments = found.segments
    this.#losses = found.losses
    await this.saveCursor()
    this.#deps.onSetAside(found.setAside)
  }

  async #remove(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      if (this.#newest.isOpen(segment)) await this.#newest.close()
      await rm(segment.path, { force: true })
      this.#segments = this.#segments.filter((other) => other !== segment)
    }
    this.#reader.close()
  }

  async saveCursor(): Promise<void> {
    const next = this.#next
    await writeCursor(this.#deps.folder, {
      v: 1,
      epoch: this.#epoch,
      acknowledged: this.#acknowledged,
      next,
      losses: [...this.#losses],
      positions: Object.fromEntries(this.#positions),
    })
    this.#cursorStale = false
    this.#lossesStale = false
    this.#durableNext = Math.max(this.#durableNext, next)
  }
}
