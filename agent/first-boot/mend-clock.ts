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
  /** It is no earlier than that, milliseconds since 1970. */
  floor: number
  /** Whether a time server has set the clock. */
  isSynchronized(): Promise<boolean>
  setClock(ms: number): Promise<void>
}
/** The enrolment server, and the fingerprint of the CA that it has to be of. */
export type Asked = { host: string; port: number; proxy: string | undefined; pin: string }

/** The network of a box that starts may come late; after an hour of asking it is for the next start. */
const [mostTries, delays] = [65, { firstMs: 2_000, capMs: 60_000 }]

/** Certificates are judged by this clock, which on a board without a battery is that of the last shutdown, or of 1970. */
export async function mendClock(deps: MendDeps, { pin, ...at }: Asked): Promise<void> {
  const told = (await deps.isSynchronized()) ? undefined : await askTime(at, pin)
  // A time server may have answered first.
  const synchronized = await deps.isSynchronized()
  await set(deps, rightTime({ now: deps.clock.now(), built: deps.floor, synchronized, told }))
}

/** At the start of a box that belongs to somebody, before anything is asked: what it holds was signed before now. */
export const raiseClock = (deps: MendDeps): Promise<void> =>
  set(deps, deps.floor - deps.clock.now() > slackMs ? deps.floor : undefined)

/** Whether the clock is a time server's or the controller's. Rejects only with the signal's reason. */
export async function mendClockInTime(
  deps: MendDeps & { random: Random; signal: AbortSignal },
  asked: Asked,
): Promise<boolean> {
  const { clock, log, signal, random } = deps
  for (let attempt = 1; attempt <= mostTries; attempt++) {
    try {
      await mendClock(deps, asked)
      return true
    } catch (error) {
      const retryInMs = retryDelay(attempt, { ...delays, random })
      log.info({ why: wordsOf(error), retryInMs }, 'neither a time server nor the controller tells the time yet')
      await clock.sleep(retryInMs, signal)
    }
  }
  log.warn('nobody told the time; it is asked for again at the next start')
  return false
}

async function set({ clock, log, setClock }: MendDeps, right: number | undefined): Promise<void> {
  if (right === undefined) return
  log.warn({ from: isoNow(clock), to: new Date(right).toISOString() }, 'the clock is set')
  await setClock(right)
}
