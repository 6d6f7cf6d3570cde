import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import type { ReleasePart } from '../../shared/schemas/update.ts'
import { type Fetch, NotNow } from './fetch.ts'

const delays = { firstMs: 5_000, capMs: 900_000 }
const longestMs = 3_600_000

export type FetchPart = {
  fetch(o: Pick<Fetch, 'file' | 'from' | 'bytes' | 'signal' | 'onBytes'>): Promise<void>
  clock: Clock
  random: Random
  log: Log
  signal: AbortSignal
  part: ReleasePart
  file: string
  from: number
}

/** A part, however often the line breaks, until the signal ends it. Throws what coming again does not mend. */
export async function fetchPart(o: FetchPart, onBytes: (here: number) => void): Promise<void> {
  const { part, signal, clock, random, log } = o
  let here = o.from
  for (let attempt = 1; ; attempt++) {
    try {
      return await o.fetch({
        ...{ file: o.file, from: here, bytes: part.bytes, signal },
        onBytes(now) {
          // What came further is a success: the next break begins with a short wait.
          if (now > here) attempt = 0
          here = now
          onBytes(now)
        },
      })
    } catch (error) {
      if (!(error instanceof NotNow)) throw error
      // Its word counts, however often it had to be given.
      if (error.afterMs !== undefined) attempt = 1
      const drawn = retryDelay(Math.max(1, attempt), { ...delays, random })
      // All who were told the same time shall not come at the same time.
      const waitMs = Math.min(Math.max(drawn, (error.afterMs ?? 0) + drawn / 2), longestMs)
      log.warn({ file: part.file, retryInMs: Math.round(waitMs) }, `not fetched: ${wordsOf(error)}`)
      await clock.sleep(waitMs, signal)
    }
  }
}
