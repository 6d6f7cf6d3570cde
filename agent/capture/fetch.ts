import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Request } from '../../shared/schemas/desired-state.ts'
import type { Spool } from '../spool/port.ts'
import { partsOf, sendFile } from '../spool/send-file.ts'
import { extract } from './extract.ts'

export type CaptureWish = Extract<Request['op'], { name: 'capture' }>

/** What a controller keeps of one file at most. */
const mostMb = 64
const giveUpMs = 15 * 60_000

/**
 * A part of a ring on its way up, one at a time:
 *
 *   asked -> extract to a file -> answer (hash, size) -> parts -> the file goes
 */
export function makeFetch(deps: {
  folder: string
  spool: Pick<Spool, 'append' | 'standing'>
  clock: Clock
  log: Log
  /** Everything that was captured so far stands in the files. */
  settled: (decoy: string) => Promise<void>
}) {
  const path = join(deps.folder, 'fetched.pcap')
  const stopping = new AbortController()
  let busy = false
  let running: Promise<void> = Promise.resolve()

  async function send(decoy: string, sha256: string, bytes: number): Promise<void> {
    try {
      await sendFile(
        deps,
        path,
        { decoy, kind: 'packets', sha256, bytes },
        AbortSignal.any([stopping.signal, AbortSignal.timeout(giveUpMs)]),
      )
    } catch (error) {
      deps.log.warn({ decoy, sha256, why: wordsOf(error) }, 'a capture file was not sent whole')
    } finally {
      await rm(path, { force: true })
      busy = false
    }
  }

  return {
    /** Throws CONFLICT while another is on its way, NOT_FOUND where nothing was captured in that time. */
    async fetch(wish: CaptureWish): Promise<Record<string, unknown>> {
      if (busy)
        throw new MarshlightError('CONFLICT', {
          what: 'another capture is on its way from this appliance',
          next: 'Ask again when it has come.',
        })
      busy = true
      try {
        await deps.settled(wish.decoy)
        await mkdir(deps.folder, { recursive: true, mode: 0o700 })
        const from = wish.from === undefined ? 0 : Date.parse(wish.from)
        const to = wish.to === undefined ? deps.clock.now() : Date.parse(wish.to)
        const most = Math.min(wish.mostMb, mostMb) * 1_048_576
        const made = await extract(join(deps.folder, wish.decoy), { from, to, most }, path)
        if (!made)
          throw new MarshlightError('NOT_FOUND', {
            kind: 'packet of this decoy in the ring between',
            value: `${new Date(from).toISOString()} and ${new Date(to).toISOString()}`,
            command: 'marshlight decoys show',
          })
        running = send(wish.decoy, made.sha256, made.bytes)
        const time = (ms: number) => new Date(ms).toISOString()
        return { ...made, from: time(made.from), to: time(made.to), parts: partsOf(made.bytes) }
      } catch (error) {
        await rm(path, { force: true })
        busy = false
        throw error
      }
    },
    async stop(): Promise<void> {
      stopping.abort(new Error('the agent stops'))
      await running
    },
  }
}
