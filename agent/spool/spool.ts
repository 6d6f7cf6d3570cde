import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Log } from '../../shared/log.ts'
import { type Loss, type StreamName, type StreamRecord, streamNames } from '../../shared/schemas/envelope.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import type { Positions, Reading, Spool } from './port.ts'
import type { SetAside } from './recovery.ts'
import { Reserve } from './reserve.ts'
import { StreamLog } from './stream-log.ts'

export type SpoolDeps = { folder: string; clock: Clock; log: Log }
export type SpoolOptions = {
  /** All segments together, bytes. */
  limitBytes?: number
  segmentBytes?: number
}

/** A record larger than this fits no batch on the wire. */
const maxRecordBytes = 1_000_000
const scratchBytes = 262_144

/** The spool over `deps.folder`, one folder a stream. See port.ts for what it promises. */
export function makeSpool(deps: SpoolDeps, options: SpoolOptions = {}): Spool {
  const limitBytes = options.limitBytes ?? 512 * 1_048_576
  const segmentBytes = options.segmentBytes ?? Math.min(4_194_304, Math.max(65_536, Math.floor(limitBytes / 20)))
  const scratch = { chunk: Buffer.allocUnsafeSlow(scratchBytes) }
  const listeners = new Set<(stream: StreamName) => void>()
  const reserve = new Reserve(deps.folder, deps.clock)
  const logs = new Map<StreamName, StreamLog>()
  const logOf = (stream: StreamName): StreamLog => {
    const found = logs.get(stream)
    if (!found) throw new MarshlightError('NO_SUCH_METHOD', { port: 'the spool', what: `${stream} before start` })
    return found
  }
  const bytes = () => [...logs.values()].reduce((sum, log) => sum + log.bytes(), 0)

  /** Drops one segment of the least valuable stream that has one, none more valuable than `stream`. */
  async function dropBelow(stream: StreamName, reason: Loss['reason']): Promise<boolean> {
    const lower = streamNames.slice(streamNames.indexOf(stream) + 1).reverse()
    for (const name of lower) if (await logs.get(name)?.dropOldest(reason, true)) return true
    return (await logs.get(stream)?.dropOwnOldest(reason)) ?? false
  }

  async function makeRoom(stream: StreamName, wanted: number): Promise<boolean> {
    while (bytes() + wanted > limitBytes) if (!(await dropBelow(stream, 'limit'))) return false
    return true
  }

  async function freeDisk(stream: StreamName): Promise<boolean> {
    const released = await reserve.release()
    const dropped = await dropBelow(stream, 'disk-full')
    if (dropped) await reserve.take(true)
    return dropped || released
  }

  async function tell(stream: StreamName, found: readonly SetAside[]): Promise<void> {
    const notices = found.map(({ path, aside, why }): Notice => {
      const error = new MarshlightError('STATE_CORRUPT', { path, why, aside })
      deps.log.error({ code: error.code, stream }, error.message)
      const losses = logOf(stream)
        .losses()
        .filter((loss) => loss.reason === 'corrupt')
      const data = { stream, aside, losses: losses.slice(0, 100) }
      return { type: 'notice', at: isoNow(deps.clock), level: 'error', code: error.code, message: error.message, data }
    })
    if (notices.length > 0) await spool.append('state', notices)
  }

  const spool: Spool = {
    name: 'spool',
    async start() {
      try {
        await mkdir(deps.folder, { recursive: true, mode: 0o700 })
      } catch (error) {
        throw unwritable(deps.folder, error)
      }
      const found: [StreamName, SetAside[]][] = []
      for (const stream of streamNames) {
        const log = new StreamLog({
          folder: join(deps.folder, stream),
          log: deps.log.child({ stream }),
          now: deps.clock.now,
          newEpoch: () => newId(deps.clock.now()),
          segmentBytes,
          scratch,
          makeRoom: (wanted) => makeRoom(stream, wanted),
          freeDisk: () => freeDisk(stream),
          onDurable: () => {
            for (const listener of listeners) listener(stream)
          },
          onSetAside: (damaged) => {
            // From within the lane of this stream: its append must not be awaited there.
            void tell(stream, damaged)
          },
        })
        try {
          found.push([stream, await log.open()])
        } catch (error) {
          throw unwritable(join(deps.folder, stream), error)
        }
        logs.set(stream, log)
      }
      await reserve.take()
      for (const [stream, damaged] of found) await tell(stream, damaged)
    },
    async stop() {
      for (const log of logs.values()) await log.close()
    },
    async append<S extends StreamName>(stream: S, records: readonly StreamRecord<S>[], positions?: Positions) {
      const lines = records.map((record) => JSON.stringify(record))
      const long = lines.find((line) => line.length > maxRecordBytes / 4 && Buffer.byteLength(line) > maxRecordBytes)
      if (long) throw new RangeError(`a record of ${Buffer.byteLength(long)} bytes is larger than ${maxRecordBytes}`)
      if (lines.length === 0 && !positions) return
      await logOf(stream).append(lines, positions)
      await reserve.take()
    },
    positionOf(source) {
      for (const log of logs.values()) {
        const position = log.positionOf(source)
        if (position) return position
      }
      return undefined
    },
    async forget(source) {
      for (const log of logs.values()) if (log.positionOf(source)) await log.append([], undefined, [source])
    },
    read: (stream, from, limit): Promise<Reading> => logOf(stream).read(from, limit),
    acknowledge: (stream, epoch, next) => logOf(stream).acknowledge(epoch, next),
    standing: (stream) => logOf(stream).standing(),
    bytes,
    onAppend(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return spool
}

function unwritable(path: string, error: unknown): MarshlightError {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return new MarshlightError('DISK_FULL', { path }, { cause: error })
  const why = (code && errorWords[code]) ?? String(error)
  return new MarshlightError('DISK_READ_ONLY', { path, why, option: '--state' }, { cause: error })
}
const errorWords: Record<string, string> = {
  EROFS: 'it is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
}
