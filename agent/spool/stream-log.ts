import { type FileHandle, open, rm } from 'node:fs/promises'
import { syncFolder } from '../../shared/files.ts'
import type { Log } from '../../shared/log.ts'
import type { Loss } from '../../shared/schemas/envelope.ts'
import { writeCursor } from './cursor.ts'
import { encodeFrame, type FrameHead } from './frame.ts'
import { addLoss, type Losses, lossesAt, lossesBelow, lossesFrom, nextLossAfter } from './losses.ts'
import type { Positions, Reading } from './port.ts'
import { FrameReader, type ReadLimit } from './reader.ts'
import { recoverStream, type SetAside } from './recovery.ts'
import { mark, newSegment, type Segment } from './segment.ts'

export type StreamDeps = {
  folder: string
  log: Log
  now: () => number
  newEpoch: () => string
  segmentBytes: number
  scratch: { chunk: Buffer }
  /** Makes room for so many bytes below the spool's limit, dropping what is worth less; false when it cannot. */
  makeRoom: (bytes: number) => Promise<boolean>
  /** The disk refused a write: gives some space back; false when there is nothing to give. */
  freeDisk: () => Promise<boolean>
  onDurable: () => void
  onSetAside: (found: SetAside[]) => void
}

type Waiting = {
  lines: string[]
  bytes: number
  positions: Positions | undefined
  forget: string[] | undefined
  done: () => void
}

const groupBytes = 1_048_576
/** An acknowledged newest segment of at least this part of a full one is removed too. */
const staleShare = 0.25

/**
 * One stream on disk.
 *
 *   append -> waiting -> (one write and one fsync for all that wait) -> newest segment -> visible to read
 *   acknowledge -> whole segments below it: cursor written, then deleted
 *
 * Invariants: a number is given once in an epoch; every number from `acknowledged` up to `next` is in a segment or in
 * `losses`; nothing is visible to `read` before it is durable; files change only within the lane.
 */
export class StreamLog {
  readonly #deps: StreamDeps
  readonly #reader: FrameReader
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
  #newest: { segment: Segment; file: FileHandle } | undefined
  /** A failed write may have left bytes behind the last whole frame. */
  #dirtyTail = false
  #cursorStale = false
  /** Losses that no cursor on disk names yet. */
  #lossesStale = false
  #refusing = false
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #lane: Promise<unknown> = Promise.resolve()

  constructor(deps: StreamDeps) {
    this.#deps = deps
    this.#reader = new FrameReader(deps.scratch)
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
      await this.#saveCursor().catch((error) => {
        this.#durableNext = Math.max(this.#acknowledged, this.#segments.at(-1)?.end ?? 0)
        this.#deps.log.warn({ err: error }, 'cursor not written')
      })
    }
    return found.setAside
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#inLane(async () => {
      await this.#newest?.file.close()
      this.#newest = undefined
      if (this.#cursorStale)
        await this.#saveCursor().catch((error) => this.#deps.log.warn({ err: error }, 'cursor not written'))
      this.#reader.close()
    })
  }

  standing = () => ({ epoch: this.#epoch, acknowledged: this.#acknowledged, next: this.#durableNext })
  bytes = (): number => this.#segments.reduce((sum, segment) => sum + segment.bytes, 0)
  positionOf = (source: string) => this.#positions.get(source)
  losses = (): Losses => this.#losses

  append(lines: string[], positions?: Positions, forget?: string[]): Promise<void> {
    return new Promise((done) => {
      const bytes = lines.reduce((sum, line) => sum + line.length, 64)
      this.#waiting.push({ lines, bytes, positions, forget, done })
      this.#writing ??= this.#write()
    })
  }

  async read(from: number, limit: ReadLimit): Promise<Reading> {
    for (let attempt = 0; ; attempt++) {
      const start = Math.min(Math.max(from, this.#acknowledged), this.#durableNext)
      const losses = lossesAt(lossesBelow(this.#losses, this.#durableNext), start)
      const first = (losses.at(-1)?.to ?? start - 1) + 1
      const end = Math.min(this.#durableNext, nextLossAfter(this.#losses, first))
      if (first >= end) return { epoch: this.#epoch, first, lines: [], losses }
      const read = this.#tryRead(first, end, limit)
      if (Array.isArray(read)) return { epoch: this.#epoch, first, lines: read, losses }
      // A file that vanished was dropped or trimmed while we looked; what stays unreadable is damaged.
      if (attempt > 0) await this.#repair()
      if (attempt > 3) throw new Error(`records from ${first} cannot be read`)
    }
  }

  acknowledge(epoch: string, next: number): Promise<void> {
    if (epoch !== this.#epoch || next <= this.#acknowledged || next > this.#durableNext) return Promise.resolve()
    this.#acknowledged = next
    this.#losses = lossesFrom(this.#losses, next)
    this.#cursorStale = true
    const [oldest] = this.#segments
    if (!oldest || oldest.end > next) return Promise.resolve()
    return this.#inLane(() => this.#trim())
  }

  /** Drops the oldest segment, counted as lost; the newest too where `newestToo`. False when none is there to drop. */
  dropOldest(reason: Loss['reason'], newestToo: boolean): Promise<boolean> {
    return this.#inLane(() => this.#drop(reason, newestToo))
  }

  /** The same for a caller that is in this stream's lane already. */
  #drop = async (reason: Loss['reason'], newestToo: boolean): Promise<boolean> => {
    const [oldest] = this.#segments
    if (!oldest || oldest.bytes === 0) return false
    const newest = this.#segments.length === 1
    if (newest && !newestToo && oldest.end > this.#acknowledged) return false
    const from = Math.max(oldest.first, this.#acknowledged)
    const before = this.#losses
    if (oldest.end > from) this.#losses = addLoss(before, { from, to: oldest.end - 1, reason })
    try {
      await this.#saveCursor()
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
  dropOwnOldest = (reason: Loss['reason']): Promise<boolean> => this.#drop(reason, false)

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group: Waiting[] = []
      for (let bytes = 0; this.#waiting.length > 0 && bytes < groupBytes; ) {
        const one = this.#waiting.shift() as Waiting
        bytes += one.bytes
        group.push(one)
      }
      await this.#inLane(() => this.#commit(group))
      for (const one of group) one.done()
      this.#deps.onDurable()
    }
    this.#writing = undefined
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    let next = this.#next
    const frames = group.map((one) => {
      const head: FrameHead = { first: next, count: one.lines.length }
      if (one.positions) head.positions = one.positions
      if (one.forget) head.forget = one.forget
      next += one.lines.length
      return { first: head.first, bytes: encodeFrame(head, one.lines) }
    })
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes.length, 0)
    let lost: Loss['reason'] | undefined
    if (!(await this.#deps.makeRoom(bytes))) lost = 'limit'
    while (!lost) {
      try {
        if (this.#lossesStale) await this.#saveCursor().catch(() => {})
        await this.#store(frames, bytes, next)
        if (this.#refusing) this.#deps.log.info('the disk takes records again')
        this.#refusing = false
        break
      } catch (error) {
        this.#dirtyTail = true
        if (isFull(error) && (await this.#deps.freeDisk())) continue
        lost = 'disk-full'
        if (!this.#refusing) this.#deps.log.error({ err: error }, 'records cannot be stored; they are counted as lost')
        this.#refusing = true
      }
    }
    if (lost && next > this.#next) {
      this.#losses = addLoss(this.#losses, { from: this.#next, to: next - 1, reason: lost })
      this.#cursorStale = true
      this.#lossesStale = true
    }
    this.#next = next
    for (const { positions, forget } of group) {
      for (const [source, position] of Object.entries(positions ?? {})) this.#positions.set(source, position)
      for (const source of forget ?? []) this.#positions.delete(source)
    }
    if (lost) await this.#saveCursor().catch(() => {})
  }

  async #store(frames: readonly { first: number; bytes: Buffer }[], bytes: number, end: number): Promise<void> {
    const { segment, file } = await this.#writable(bytes)
    if (this.#dirtyTail) {
      await file.truncate(segment.bytes)
      this.#dirtyTail = false
    }
    const parts: { first: number; bytes: Buffer }[] = [...frames]
    if (segment.bytes === 0) {
      const head = { first: this.#next, count: 0, epoch: this.#epoch, positions: Object.fromEntries(this.#positions) }
      parts.unshift({ first: this.#next, bytes: encodeFrame(head, []) })
    }
    const whole = Buffer.concat(parts.map((part) => part.bytes))
    for (let written = 0; written < whole.length; )
      written += (await file.write(whole, written, whole.length - written, segment.bytes + written)).bytesWritten
    await file.datasync()
    for (const part of parts) {
      mark(segment, part.first, segment.bytes)
      segment.bytes += part.bytes.length
    }
    segment.end = end
    this.#durableNext = end
  }

  /** The newest segment with its handle, opened, or begun where there is none or it is full. */
  async #writable(bytes: number): Promise<{ segment: Segment; file: FileHandle }> {
    const last = this.#segments.at(-1)
    const full = last && last.bytes > 0 && last.bytes + bytes > this.#deps.segmentBytes
    if (last && !full) {
      this.#newest ??= { segment: last, file: await open(last.path, 'r+') }
      return this.#newest
    }
    if (this.#dirtyTail && this.#newest) await this.#newest.file.truncate(this.#newest.segment.bytes)
    const turn = last?.first === this.#next ? turnOf(last) + 1 : 0
    const segment = newSegment(this.#deps.folder, this.#next, turn)
    const file = await open(segment.path, 'w+', 0o600)
    await syncFolder(this.#deps.folder)
    await this.#newest?.file.close()
    this.#dirtyTail = false
    this.#segments.push(segment)
    this.#newest = { segment, file }
    return this.#newest
  }

  async #trim(): Promise<void> {
    const gone = this.#segments.filter((segment, index) => {
      if (segment.end > this.#acknowledged) return false
      return index < this.#segments.length - 1 || segment.bytes >= this.#deps.segmentBytes * staleShare
    })
    if (gone.length === 0) return
    try {
      await this.#saveCursor()
      await this.#remove(gone)
    } catch (error) {
      // A read-only disk: they stay, and the centre ignores what it knows already.
      this.#deps.log.warn({ err: error }, 'acknowledged records cannot be removed')
    }
  }

  async #remove(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      if (this.#newest?.segment === segment) {
        await this.#newest.file.close()
        this.#newest = undefined
      }
      await rm(segment.path, { force: true })
      this.#segments = this.#segments.filter((other) => other !== segment)
    }
    this.#reader.close()
  }

  #tryRead(first: number, end: number, limit: ReadLimit): string[] | undefined {
    try {
      const read = this.#reader.read(this.#segments, first, end, limit)
      if (Array.isArray(read) && read.length > 0) return read
    } catch (error) {
      this.#deps.log.debug({ err: error }, 'reading again')
    }
    this.#reader.close()
    return undefined
  }

  #repair(): Promise<void> {
    return this.#inLane(async () => {
      await this.#saveCursor()
      await this.#newest?.file.close()
      this.#newest = undefined
      this.#reader.close()
      const found = await recoverStream(this.#deps.folder, { now: this.#deps.now(), newEpoch: this.#deps.newEpoch })
      this.#segments = found.segments
      this.#losses = found.losses
      await this.#saveCursor()
      this.#deps.onSetAside(found.setAside)
    })
  }

  async #saveCursor(): Promise<void> {
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

  #inLane<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lane.then(work)
    this.#lane = result.catch(() => {})
    return result
  }
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')

const turnOf = (segment: Segment): number => Number(/-(\d+)\.seg$/.exec(segment.path)?.[1] ?? 0)
