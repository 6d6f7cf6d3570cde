import type { Loss } from '../../shared/schemas/envelope.ts'
import type { FrameHead } from './frame.ts'
import { lossesAt, lossesBelow, nextLossAfter } from './losses.ts'
import { type NumberedFrame, numberedFrame } from './numbered-frame.ts'
import type { Positions, Reading } from './port.ts'
import type { ReadLimit } from './reader.ts'
import type { SetAside } from './recovery.ts'
import { type FilesDeps, StreamFiles } from './stream-files.ts'

export type StreamDeps = FilesDeps & {
  /** Makes room for so many bytes below the spool's limit, dropping what is worth less; false when it cannot. */
  makeRoom: (bytes: number) => Promise<boolean>
  /** The disk refused a write: gives some space back; false when there is nothing to give. */
  freeDisk: () => Promise<boolean>
  onDurable: () => void
}

type Waiting = {
  lines: string[]
  bytes: number
  positions: Positions | undefined
  forget: string[] | undefined
  done: () => void
}

const groupBytes = 1_048_576

/**
 * One stream: who may write when, and what becomes of records that the disk does not take.
 *
 *   append -> waiting -> (one write and one fsync for all that wait) -> newest segment -> visible to read
 *   acknowledge -> whole segments below it: cursor written, then deleted
 *
 * Invariants: a number is given once in an epoch; nothing is visible to `read` before it is durable; files change only
 * within the lane.
 */
export class StreamLog {
  readonly #deps: StreamDeps
  readonly #files: StreamFiles
  #refusing = false
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #lane: Promise<unknown> = Promise.resolve()

  constructor(deps: StreamDeps) {
    this.#deps = deps
    this.#files = new StreamFiles(deps)
  }

  open = (): Promise<SetAside[]> => this.#files.open()

  async close(): Promise<void> {
    await this.#writing
    await this.#inLane(() => this.#files.close())
  }

  standing = () => this.#files.standing()
  bytes = () => this.#files.bytes()
  positionOf = (source: string) => this.#files.positionOf(source)
  losses = () => this.#files.losses()

  append(lines: string[], positions?: Positions, forget?: string[]): Promise<void> {
    return new Promise((done) => {
      const bytes = lines.reduce((sum, line) => sum + line.length, 64)
      this.#waiting.push({ lines, bytes, positions, forget, done })
      this.#writing ??= this.#write()
    })
  }

  async read(from: number, limit: ReadLimit): Promise<Reading> {
    for (let attempt = 0; ; attempt++) {
      const { epoch, acknowledged, next } = this.#files.standing()
      const known = this.#files.losses()
      const start = Math.min(Math.max(from, acknowledged), next)
      const losses = lossesAt(lossesBelow(known, next), start)
      const first = (losses.at(-1)?.to ?? start - 1) + 1
      const end = Math.min(next, nextLossAfter(known, first))
      if (first >= end) return { epoch, first, lines: [], losses }
      const lines = this.#files.read(first, end, limit)
      if (lines) return { epoch, first, lines, losses }
      // A file that vanished was dropped or trimmed while we looked; what stays unreadable is damaged.
      if (attempt > 0) await this.#inLane(() => this.#files.repair())
      if (attempt > 3) throw new Error(`records from ${first} cannot be read`)
    }
  }

  acknowledge(epoch: string, next: number): Promise<void> {
    const now = this.#files.standing()
    if (epoch !== now.epoch || next <= now.acknowledged || next > now.next) return Promise.resolve()
    return this.#files.acknowledged(next) ? this.#inLane(() => this.#files.trim()) : Promise.resolve()
  }

  /** Drops the oldest segment, counted as lost; the newest too where `newestToo`. False when none is there to drop. */
  dropOldest(reason: Loss['reason'], newestToo: boolean): Promise<boolean> {
    return this.#inLane(() => this.#files.drop(reason, newestToo))
  }

  /** The same for a caller that is in this stream's lane already; the newest stays. */
  dropOwnOldest = (reason: Loss['reason']): Promise<boolean> => this.#files.drop(reason, false)

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
    const from = this.#files.next()
    let [next, back] = [from, 0]
    const frames = group.map((one): NumberedFrame => {
      const head: FrameHead = { first: next, count: one.lines.length }
      if (one.positions) head.positions = one.positions
      if (one.forget) head.forget = one.forget
      const frame = numberedFrame(head, one.lines, back)
      next += one.lines.length
      back += frame.bytes.length
      return frame
    })
    const lost = await this.#store(frames, next)
    if (lost && next > from) this.#files.lost({ from, to: next - 1, reason: lost })
    this.#files.advance(next, group)
    if (lost) await this.#files.saveCursor().catch(() => {})
  }

  /** Why the frames are lost; undefined when they are durable. */
  async #store(frames: readonly NumberedFrame[], end: number): Promise<Loss['reason'] | undefined> {
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes.length, 0)
    if (!(await this.#deps.makeRoom(bytes))) return 'limit'
    while (true) {
      try {
        await this.#files.tellLosses()
        await this.#files.store(frames, end)
        if (this.#refusing) this.#deps.log.info('the disk takes records again')
        this.#refusing = false
        return undefined
      } catch (error) {
        if (isFull(error) && (await this.#deps.freeDisk())) continue
        if (!this.#refusing) this.#deps.log.error({ err: error }, 'records cannot be stored; they are counted as lost')
        this.#refusing = true
        return 'disk-full'
      }
    }
  }

  #inLane<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lane.then(work)
    this.#lane = result.catch(() => {})
    return result
  }
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
