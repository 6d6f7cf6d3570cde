import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { numberToIp } from '../../shared/network.ts'
import type { Random } from '../../shared/random.ts'
import type { DecoyDrift } from '../../shared/schemas/drift.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import type { PodRun } from '../decoys/ports.ts'
import type { Dump, startDump } from './dump.ts'
import { missedBy } from './dump-counts.ts'
import { makeMet } from './met.ts'
import type { Mimics } from './mimics.ts'
import { fileHeadBytes, makePcapReader } from './pcap.ts'
import type { Ring } from './ring.ts'
import { makeWindows } from './windows.ts'

export type DecoyCaptureDeps = {
  decoy: string
  address: number
  broadcastAddress?: number
  ports: ReadonlyMap<number, string>
  mimics?: () => Mimics | undefined
  isOwnLook?: (address: number, port: number, at: number) => boolean
  ring: Ring
  random: Random
  pseudonym: (address: number) => string
  clock: Clock
  log: Log
  /** In force when it begins. */
  drift: DecoyDrift | undefined
  startDump: typeof startDump
  /** Windows that are told at another time than at a tick. */
  onWindows(windows: FeatureWindow[]): void
  /** It ended by itself. */
  onEnd(): void
}

/** From the head of a capture to the end of its tcpdump: one run of looking. */
type Run = { of: string; dump: Dump; windows: ReturnType<typeof makeWindows>; seen: number; missed: number }

const retryMs = 5000

/**
 * The traffic of one decoy, for as long as its pod runs:
 *
 *   follow(pod) -> tcpdump in its network -> bytes -> ring
 *                                               \-> packets -> windows        the pod ends -> what was seen is told
 *
 * A window has only seconds in which tcpdump looked: it begins with the head that tcpdump writes once it listens.
 */
export function makeDecoyCapture(deps: DecoyCaptureDeps) {
  const { ring, clock, log, decoy } = deps
  let run: Run | undefined
  let starting: { of: string; dump?: Dump; over?: Promise<void> } | undefined
  let notBefore = 0
  let missedInAll = 0
  /** What the next window bears, and what it will from the next tick on. */
  const met = makeMet(deps.drift)
  let mark: string | undefined = met.mark()

  const windowsFrom = (from: number) => makeWindows({ ...deps, from, drift: mark, groupOf: met.groupOf })

  async function begin(pod: PodRun): Promise<void> {
    const begun: NonNullable<typeof starting> = { of: pod.run }
    starting = begun
    let mine: Run | undefined
    const reader = makePcapReader(
      ({ frame, at }) => {
        if (!mine) return
        mine.seen++
        mine.windows.add(frame, at)
      },
      (bytes) => {
        if (bytes.length === fileHeadBytes && !mine) {
          ring.begin(bytes)
          if (!begun.dump) return
          mine = { of: pod.run, dump: begun.dump, windows: windowsFrom(clock.now()), seen: 0, missed: 0 }
          run = mine
        } else if (!ring.write(bytes)) {
          begun.dump?.pause()
          void ring.settled().then(() => begun.dump?.resume())
        }
      },
    )
    const onBytes = (bytes: Buffer) => {
      try {
        reader.push(bytes)
      } catch (error) {
        log.error({ decoy, why: wordsOf(error) }, 'a capture cannot be read: it is begun again')
        void begun.dump?.stop()
      }
    }
    try {
      begun.dump = await deps.startDump(pod.pid, numberToIp(deps.address), onBytes)
    } catch (error) {
      log.warn({ decoy, why: wordsOf(error) }, 'a decoy’s traffic cannot be looked at yet')
      starting = undefined
      notBefore = clock.now() + retryMs
      return
    }
    log.info({ decoy, pid: pod.pid, tcpdump: begun.dump.pid }, 'the traffic of a decoy is captured')
    begun.over = begun.dump.ended.then((why) => end(begun, mine, why))
  }

  async function end(begun: NonNullable<typeof starting>, mine: Run | undefined, why: string): Promise<void> {
    if (starting === begun) starting = undefined
    if (mine && run === mine) {
      deps.onWindows(await take(mine, true))
      run = undefined
    }
    notBefore = clock.now() + (mine ? 0 : retryMs)
    log.info({ decoy, why }, 'the capture of a decoy’s traffic ended')
    deps.onEnd()
  }

  async function take(of: Run, all: boolean): Promise<FeatureWindow[]> {
    const counts = await of.dump.counts()
    if (!counts) {
      // It is behind, and what it missed is told later: a window that can go on does, another one bears no mark.
      if (!all) return []
      of.windows.mark(undefined)
    }
    const sofar = Math.max(of.missed, counts ? missedBy(counts, of.seen) : 0)
    const missed = sofar - of.missed
    of.missed = sofar
    missedInAll += missed
    if (missed > 0) log.warn({ decoy, missed }, 'packets of a decoy came faster than they were read')
    return of.windows.take(clock.now(), missed, all)
  }

  async function halt(): Promise<void> {
    const ending = starting
    await ending?.dump?.stop()
    await ending?.over
  }

  return {
    decoy,
    /** Looks at this run of the pod; at nothing where there is none. */
    async follow(pod: PodRun | undefined): Promise<void> {
      if (starting && starting.of !== pod?.run) await halt()
      if (!starting && pod && clock.now() >= notBefore) await begin(pod)
    },
    /** Ends the windows. */
    async tick(): Promise<FeatureWindow[]> {
      const windows = run ? await take(run, mark !== met.mark()) : []
      met.tick(clock.now())
      mark = met.mark()
      run?.windows.mark(mark)
      return windows
    },
    /**
     * Another drift is put in force. Where it is another one for everyone, what was seen so far is told, and the time until
     * the next tick is of neither; where only for some sources, theirs is.
     */
    async drifted(next: DecoyDrift | undefined): Promise<FeatureWindow[]> {
      if (!met.put(next, clock.now())) return []
      const windows = run ? await take(run, true) : []
      mark = undefined
      run?.windows.mark(undefined)
      return windows
    },
    pid: () => starting?.dump?.pid,
    /** Packets since it was made. */
    missed: () => missedInAll,
    isLooking: () => run !== undefined,
    async stop(): Promise<void> {
      await halt()
      await ring.stop()
    },
  }
}

export type DecoyCapture = ReturnType<typeof makeDecoyCapture>
