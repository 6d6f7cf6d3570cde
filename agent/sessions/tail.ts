import { type FileHandle, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, isoNow } from '../../shared/clock.ts'
import type { Log } from '../../shared/log.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import type { Spool } from '../spool/port.ts'
import type { EventContext, ParseEvent } from './event-line.ts'
import { eventFiles, placeToRead, wholeLines } from './lines.ts'
import { namesIn, withFile } from './safe-read.ts'

export type TailDeps = {
  spool: Pick<Spool, 'append' | 'positionOf'>
  clock: Clock
  log: Log
  /** Whose events they are, as of now. */
  context: () => EventContext
  parse: ParseEvent
  /** Under this name the place reached is kept. */
  source: string
  /** `<out>/events`. */
  folder: string
  /** Longest line, bytes; also how much is read at a time. */
  lineBytes: number
  /** Called with events that are in the spool. */
  onEvents: (events: readonly DecoyEvent[]) => void
}

export type Tail = {
  /** Brings everything written so far into the spool. With `final`, nobody writes any more. */
  drain(final: boolean): Promise<void>
}

type Bad = { count: number; first?: string }

/**
 * Moves the lines of one decoy's event files into the spool, each exactly once:
 * the place reached is kept in the same append as the events read up to it, and reading always goes on from there.
 * A file is finished, and removed once it is in the spool, when one with a higher number is there.
 */
export function makeTail(deps: TailDeps): Tail {
  const { spool, folder, lineBytes, source } = deps
  let skipping = false

  /** Reads one piece. Says whether there may be more. */
  async function step(final: boolean): Promise<boolean> {
    // Listed before reading: a file below the highest of this list gets nothing more, so its end is its end.
    const files = eventFiles(await namesIn(folder))
    const place = placeToRead(files, spool.positionOf(source))
    if (!place) return false
    const finished = final || place.file.number < (files.at(-1)?.number ?? 0)
    const path = join(folder, place.file.name)
    const read = await withFile(path, (file, { size }) =>
      readPiece(file, place.offset, Math.min(lineBytes, size - place.offset)),
    )
    const piece = read ?? Buffer.alloc(0)
    const { lines, consumed, overlong } = wholeLines(piece, lineBytes, skipping)
    const torn = finished && consumed < piece.length && piece.length < lineBytes
    const bad: Bad = { count: 0 }
    if (overlong && !skipping) note(bad, `a line of more than ${lineBytes} bytes`)
    if (torn && lines.length === 0) note(bad, 'a line without an end')
    skipping = overlong
    if (consumed > 0 || bad.count > 0) {
      const offset = place.offset + (lines.length === 0 && torn ? piece.length : consumed)
      await keep(lines, bad, { file: place.file.name, offset })
      return true
    }
    if (!finished) return false
    skipping = false
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    return true
  }

  async function keep(lines: string[], bad: Bad, position: { file: string; offset: number }): Promise<void> {
    const context = deps.context()
    const events: DecoyEvent[] = []
    for (const line of lines) {
      const event = deps.parse(line, context)
      if ('bad' in event) note(bad, event.bad)
      else events.push(event)
    }
    // What is bad is told before reading goes on: at worst it is told twice, never not at all.
    if (bad.count > 0) await spool.append('state', [badNotice(bad, position.file)])
    await spool.append('events', events, { [source]: position })
    if (events.length > 0) deps.onEvents(events)
  }

  function badNotice({ count, first }: Bad, file: string): Notice {
    const { decoy } = deps.context()
    const message = `${count} lines of ${file} of decoy ${decoy} are no events; the first: ${first}`
    deps.log.warn({ decoy, source, file, count, first }, 'lines that are no events')
    const at = isoNow(deps.clock)
    return { type: 'notice', at, level: 'warning', code: 'EVENTS_UNREADABLE', message, data: { decoy, count } }
  }

  return {
    async drain(final) {
      while (await step(final));
    },
  }
}

async function readPiece(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0)
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

function note(bad: Bad, why: string): void {
  bad.count++
  bad.first ??= why.slice(0, 300)
}
