import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { ServiceContainer } from '../../shared/schemas/desired-state.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import type { Spool } from '../spool/port.ts'
import { makeBlobs } from './blobs.ts'
import { parseCowrieEvent } from './cowrie-parser.ts'
import type { ParseEvent } from './event-line.ts'
import { makeSentHashes } from './sent-hashes.ts'
import { parseServicesEvent } from './services-parser.ts'
import { makeTail } from './tail.ts'

/** Where the events of one container of a decoy are. `gone`: nobody writes there any more, and the folder may go once it is read. */
export type Source = {
  /** The decoy's. */
  id: string
  /** `cowrie` where missing. */
  service?: ServiceContainer
  outDir: string
  persona: string
  personaVersion: number
  revision: number
  gone?: boolean
}

export type SessionsDeps = {
  spool: Spool
  log: Log
  clock: Clock
  /** All decoys with events, as of now. One that is not named is left alone, as one whose room is starting again. */
  decoys: () => readonly Source[]
  /** Called when everything of a decoy that is gone is in the spool. */
  release?: (decoy: string) => Promise<void>
  /** The agent's state folder. */
  stateDir: string
  caps?: {
    /** Bytes sent of one captured file or tty log. */
    blobBytes?: number
    /** Longest line of an event file. */
    lineBytes?: number
  }
}

export interface Sessions extends Part {
  /** Decoys being read, and how many of their events went into the spool since the start. */
  standing(): { decoy: string; events: number }[]
}

const pollMs = 1000
/** Sessions remembered per decoy until the blobs they name are sent. */
const mostNames = 1000

/** One parser a container. */
const parsers: Record<ServiceContainer, ParseEvent> = {
  cowrie: parseCowrieEvent,
  services: parseServicesEvent,
  web: parseServicesEvent,
}

/** What a source is called here and in the spool: a decoy's first container bears the decoy's own name. */
const keyOf = ({ id, service = 'cowrie' }: Source): string => (service === 'cowrie' ? id : `${id}/${service}`)

type Reader = {
  source: Source
  events: number
  watcher?: FSWatcher
  busy: boolean
  again: boolean
  done?: Promise<void>
}

/** Reads every decoy's events, tty logs and captured files into the spool. See tail.ts and blobs.ts for what holds. */
export function makeSessions(deps: SessionsDeps): Sessions {
  const { spool, log, clock } = deps
  const { blobBytes = 4 * 1_048_576, lineBytes = 262_144 } = deps.caps ?? {}
  const sent = makeSentHashes(join(deps.stateDir, 'sessions', 'sent-hashes'))
  const readers = new Map<string, Reader & { drain: (final: boolean) => Promise<void> }>()
  let stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()

  function open(source: Source) {
    const names = new Map<string, string>()
    const reader: Reader = { source, events: 0, busy: false, again: false }
    const onEvents = (events: readonly DecoyEvent[]) => {
      reader.events += events.length
      for (const { sha256, session } of events) if (sha256 && session) names.set(sha256, session)
      for (const name of names.keys()) if (names.size > mostNames) names.delete(name)
    }
    const context = () => {
      const { id, persona, personaVersion, revision } = reader.source
      return { decoy: id, persona, personaVersion, revision }
    }
    const folder = join(source.outDir, 'events')
    const parse = parsers[source.service ?? 'cowrie']
    const tail = makeTail({ spool, clock, log, context, parse, source: keyOf(source), folder, lineBytes, onEvents })
    const sessionOf = (sha256: string) => names.get(sha256)
    const blobs = makeBlobs({ spool, sent, clock, log, decoy: source.id, out: source.outDir, blobBytes, sessionOf })
    const drain = async (final: boolean) => {
      await tail.drain(final)
      await blobs.drain(final)
    }
    const opened = Object.assign(reader, { drain })
    readers.set(keyOf(source), opened)
    return opened
  }

  /** Reads what is there; a wake-up in the meantime makes it read once more. */
  function wake(key: string): void {
    const reader = readers.get(key)
    if (!reader || stopping.signal.aborted) return
    reader.again = true
    if (reader.busy) return
    reader.busy = true
    reader.done = work(reader).finally(() => {
      reader.busy = false
    })
  }

  async function work(reader: ReturnType<typeof open>): Promise<void> {
    const key = keyOf(reader.source)
    try {
      while (reader.again && !stopping.signal.aborted) {
        reader.again = false
        const final = reader.source.gone === true
        await reader.drain(final)
        if (final) return await close(key, reader.source.id)
      }
    } catch (error) {
      log.error({ decoy: key, why: wordsOf(error) }, 'could not read events; trying again')
    }
  }

  /** The event files are removed by now, so that forgetting the place cannot bring an event twice. */
  async function close(key: string, decoy: string): Promise<void> {
    readers.get(key)?.watcher?.close()
    readers.delete(key)
    await spool.forget(key)
    // The folder goes when the last of the decoy's containers has been read to its end.
    if ([...readers.values()].some(({ source }) => source.id === decoy)) return
    await deps.release?.(decoy)
    log.info({ decoy }, 'read the last events of a removed decoy')
  }

  function watchFolder(reader: Reader): void {
    if (reader.watcher) return
    try {
      const watcher = watch(join(reader.source.outDir, 'events'), () => wake(keyOf(reader.source)))
      watcher.on('error', () => {
        watcher.close()
        delete reader.watcher
      })
      reader.watcher = watcher
    } catch {
      // Not made yet, or no watches left: the poll finds it.
    }
  }

  function look(): void {
    const named = new Map(deps.decoys().map((source) => [keyOf(source), source]))
    for (const [key, source] of named) {
      const reader = readers.get(key) ?? open(source)
      reader.source = source
    }
    for (const [key, reader] of readers) {
      if (!named.has(key)) continue
      watchFolder(reader)
      wake(key)
    }
  }

  return {
    name: 'sessions',
    async start(signal) {
      stopping = new AbortController()
      const both = AbortSignal.any([signal, stopping.signal])
      await sent.open()
      running = (async () => {
        while (!both.aborted) {
          look()
          await clock.sleep(pollMs, both).catch(() => undefined)
        }
      })()
    },
    async stop() {
      stopping.abort()
      await running
      for (const { watcher } of readers.values()) watcher?.close()
      await Promise.all([...readers.values()].map(({ done }) => done))
      readers.clear()
    },
    standing: () => [...readers.values()].map(({ source, events }) => ({ decoy: source.id, events })),
  }
}
