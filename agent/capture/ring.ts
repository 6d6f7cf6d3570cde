import { type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { fileHeadBytes } from './pcap.ts'
import { mend, type RingFile, ringFiles, ringPath, tooMany } from './ring-files.ts'

export type RingLimits = { bytes: number; hours: number }

/** A ring is so many files at least, so that dropping the oldest costs no more than such a part. */
const files = 8
/** Bytes that wait for the disk; past them the source is told to wait. */
const mostWaiting = 4 * 1_048_576
/** What is left for the spool and the system on a disk that gets full. */
const reserveBytes = 256 * 1_048_576

/**
 * Capture files of one decoy, bounded in bytes and age:
 *
 *   write(whole packets) -> queue -> the newest file -> full, or old: the next one, the oldest go before it is opened
 *
 * Invariants: all files together never have more than the limit; each holds whole packets only, so it opens whatever
 * happens to the agent; where the disk cannot take more, what is not written is counted, and nothing waits for ever.
 */
export function makeRing(
  deps: { folder: string; clock: Clock; log: Log; freeBytes?: (folder: string) => Promise<number> },
  limits: () => RingLimits,
) {
  const { folder, clock, log } = deps
  const freeBytes = deps.freeBytes ?? freeOn
  let head: Buffer | undefined
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let current: { file: FileHandle; from: number; path: string; bytes: number } | undefined
  /** One thing at a time is done to the files. */
  let last: Promise<unknown> = Promise.resolve()
  let storing = false
  let turnNext = false
  let unwritten = 0
  /** Why it cannot be written, until it can. */
  let trouble: string | undefined
  let lastFrom = 0

  const fileBytes = () => Math.max(65_536, Math.floor(limits().bytes / files))
  const fileMs = () => (limits().hours * 3_600_000) / files

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const some = waiting
      waiting = []
      try {
        await store(some)
        recovered()
      } catch (error) {
        unwritten += some.reduce((sum, one) => sum + one.length, 0)
        if (trouble === undefined)
          log.warn({ folder, why: wordsOf(error) }, 'the ring cannot be written; windows go on')
        trouble = wordsOf(error)
        await giveUp()
      }
      waitingBytes -= some.reduce((sum, one) => sum + one.length, 0)
    }
    storing = false
  }

  function recovered(): void {
    if (trouble !== undefined) log.info({ folder }, 'the ring is written again')
    trouble = undefined
  }

  async function store(some: readonly Buffer[]): Promise<void> {
    for (let next = 0; next < some.length; ) {
      const first = some[next] as Buffer
      if (!current || turnNext || current.bytes + first.length > fileBytes() || clock.now() - current.from > fileMs())
        await turn(first.length)
      const open = current as NonNullable<typeof current>
      let end = next
      let bytes = 0
      while (end < some.length && (end === next || open.bytes + bytes + (some[end] as Buffer).length <= fileBytes())) {
        bytes += (some[end] as Buffer).length
        end++
      }
      await writeAll(open, some.slice(next, end))
      next = end
    }
  }

  async function writeAll(open: NonNullable<typeof current>, some: readonly Buffer[]): Promise<void> {
    const bytes = some.reduce((sum, one) => sum + one.length, 0)
    const { bytesWritten } = await open.file.writev([...some], open.bytes)
    // A full disk takes a part: the file ends with its last whole piece again.
    if (bytesWritten < bytes) {
      await open.file.truncate(open.bytes)
      throw new Error(`the disk took ${bytesWritten} of ${bytes} bytes`)
    }
    open.bytes += bytes
  }

  /** Closes the file that is full and opens the next. */
  async function turn(needed: number): Promise<void> {
    await close()
    turnNext = false
    if (!head) throw new Error('packets came before the head of their capture')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await prune(Math.max(fileBytes(), fileHeadBytes + needed))
    // Two files in one millisecond would be one.
    const from = Math.max(clock.now(), lastFrom + 1)
    lastFrom = from
    const path = ringPath(folder, from)
    const file = await open(path, 'wx', 0o600)
    current = { file, from, path, bytes: 0 }
    await writeAll(current, [head])
  }

  async function prune(needed: number): Promise<void> {
    const { bytes, hours } = limits()
    let there = await ringFiles(folder)
    const gone = tooMany(there, bytes, needed, clock.now() - hours * 3_600_000)
    await remove(gone)
    there = there.filter((file) => !gone.includes(file))
    while ((await freeBytes(folder)) < reserveBytes + needed) {
      const oldest = there.shift()
      if (!oldest) throw new Error('the disk is full')
      await remove([oldest])
    }
  }

  async function remove(gone: readonly RingFile[]): Promise<void> {
    for (const { path } of gone) {
      if (path === current?.path) await close()
      await rm(path, { force: true })
    }
  }

  async function close(): Promise<void> {
    const file = current?.file
    current = undefined
    await file?.close()
  }

  /** Without any packet a file goes: each try would leave one. */
  async function giveUp(): Promise<void> {
    const empty = current && current.bytes <= fileHeadBytes ? current.path : undefined
    await close()
    if (empty !== undefined) await rm(empty, { force: true })
  }

  function inTurn<T>(one: () => Promise<T>): Promise<T> {
    const done = last.then(one)
    last = done.catch(() => undefined)
    return done
  }

  return {
    /** Mends what an earlier run left. */
    async open(): Promise<void> {
      const there = await ringFiles(folder)
      lastFrom = there.at(-1)?.from ?? 0
      const newest = there.at(-1)
      if (newest && (await mend(newest))) log.info({ path: newest.path }, 'mended the newest file of a ring')
    },
    /** The head of the capture whose packets follow; a file begins with it. */
    begin(bytes: Buffer): void {
      turnNext ||= head !== undefined && !head.equals(bytes)
      head = Buffer.from(bytes)
    },
    /** Whole packets. False: the disk is behind; wait for `settled` before giving more. */
    write(packets: Buffer): boolean {
      waiting.push(Buffer.from(packets))
      waitingBytes += packets.length
      if (!storing) {
        storing = true
        void inTurn(work)
      }
      return waitingBytes < mostWaiting
    },
    /** Everything that was given is written, or counted as not. */
    settled: (): Promise<void> => inTurn(async () => undefined),
    /** Drops what is too old. True while files are left. */
    age: (): Promise<boolean> =>
      inTurn(async () => {
        const oldest = clock.now() - limits().hours * 3_600_000
        const there = await ringFiles(folder)
        await remove(there.filter(({ to }) => to < oldest))
        // Where nothing comes to be written, it is tried here whether it can.
        if (trouble !== undefined && head)
          await turn(0).then(recovered, (error) => {
            trouble = wordsOf(error)
            return giveUp()
          })
        if ((await ringFiles(folder)).length > 0) return true
        await rm(folder, { recursive: true, force: true })
        return false
      }),
    /** Why it cannot be written now. */
    trouble: () => trouble,
    /** Bytes that the disk did not take. */
    unwritten: () => unwritten,
    stop: (): Promise<void> => inTurn(close),
  }
}

export type Ring = ReturnType<typeof makeRing>

async function freeOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
