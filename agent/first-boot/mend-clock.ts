import { type Clock, isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import { askTime } from '../enrol/index.ts'
import { rightTime, slackMs } from './right-time.ts'

export type MendDeps = {
  clock: Clock
  log: Log
  /** When this program was made, milliseconds since 1970. */
  built: number
  /** What this box holds is from before then. */
  floor: number
  /** Whether a time server has set the clock. */
  isSynchronized(): Promise<boolean>
  setClock(ms: number): Promise<void>
}
/** The enrolment server, and the fingerprint of the CA that it has to be of. */
export type Asked = { host: string; port: number; proxy: string | undefined; pin: string }

/** The network of a box that starts may come late; after an hour of asking it is for the next start. */
const [mostTries, delays] = [65, { firstMs: 2_000, capMs: 60_000 }]
const notBelieved =
  'the controller’s time is outside its certificate’s, or before what this box holds; or it could not be set'

/**
 * Certificates are judged by this clock, which on a board without a battery is that of the last shutdown, or of 1970.
 * Resolves with whether it is now a time server's or the controller's: what the controller tells may not be believed.
 */
export async function mendClock(deps: MendDeps, { pin, ...at }: Asked): Promise<boolean> {
  const { clock, built, floor } = deps
  const told = (await deps.isSynchronized()) ? undefined : await askTime(at, pin)
  // A time server may have answered first.
  const synchronized = await deps.isSynchronized()
  await set(deps, rightTime({ now: clock.now(), built, floor, synchronized, told }))
  return synchronized || (told !== undefined && Math.abs(told.at - clock.now()) <= slackMs)
}

/** At the start of a box that belongs to somebody, before anything is asked: what it holds was signed before now. */
export async function raiseClock(deps: MendDeps): Promise<void> {
  const { clock, built, floor } = deps
  const right = rightTime({ now: clock.now(), built, floor, synchronized: await deps.isSynchronized() })
  await set(deps, floor - clock.now() > slackMs ? right : undefined)
}

/** Whether the clock is a time server's or the controller's. Rejects only with the signal's reason. */
export async function mendClockInTime(
  deps: MendDeps & { random: Random; signal: AbortSignal },
  asked: Asked,
): Promise<boolean> {
  const { clock, log, signal, random } = deps
  for (let attempt = 1; ; attempt++) {
    const why = await mendClock(deps, asked).then((isRight) => (isRight ? undefined : notBelieved), wordsOf)
    if (why === undefined) return true
    if (attempt === mostTries) {
      log.warn({ why }, 'nobody told a time that this clock could be set to; it is asked for again at the next start')
      return false
    }
    const retryInMs = retryDelay(attempt, { ...delays, random })
    log.info({ why, retryInMs }, 'neither a time server nor the controller tells the time yet')
    await clock.sleep(retryInMs, signal)
  }
}

async function set({ clock, log, setClock }: MendDeps, right: number | undefined): Promise<void> {
  if (right === undefined) return
  log.warn({ from: isoNow(clock), to: new Date(right).toISOString() }, 'the clock is set')
  await setClock(right)
}
