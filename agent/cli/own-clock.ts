import { createHash, X509Certificate } from 'node:crypto'
import { access, stat } from 'node:fs/promises'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { type Log, type LogLevel, makeLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { loadConfig } from '../config.ts'
import { enrolAddress, identityPath, readStoredIdentity } from '../enrol/index.ts'
import { type MendDeps, mendClockInTime, raiseClock } from '../first-boot/index.ts'
import { run } from './box.ts'
import { signedBefore } from './checks/clock.ts'

/** This machine's clock. */
export const systemTime: Pick<MendDeps, 'isSynchronized' | 'setClock'> = {
  /** systemd-timesyncd leaves this file once a server has answered it. */
  isSynchronized: () =>
    access('/run/systemd/timesync/synchronized').then(
      () => true,
      () => false,
    ),
  setClock: (ms) => run('date', '-u', '-s', `@${Math.floor(ms / 1000)}`),
}

type Own = { stateDir: string; clock: Clock; log: Log; time?: typeof systemTime }

/** A clock that is behind what this box holds would have it trust nobody. That it cannot be set stops nothing. */
export async function raiseOwnClock({ stateDir, clock, log, time = systemTime }: Own): Promise<void> {
  try {
    const identity = await readStoredIdentity(stateDir)
    if (identity) await raiseClock({ clock, log, ...time, ...(await since(stateDir, identity)) })
  } catch (error) {
    log.warn({ why: wordsOf(error) }, 'the clock could not be set')
  }
}

/**
 * The clock of a box that belongs to somebody, by its controller where no time server sets it. Beside the agent, which
 * may not set it and is not to wait. Returns the exit code. Throws NOT_ENROLLED.
 */
export async function clockCommand(o: {
  stateDir: string
  logLevel?: LogLevel
  clock: Clock
  random: Random
  time?: typeof systemTime
}): Promise<number> {
  const { stateDir, clock, random, time = systemTime } = o
  const config = await loadConfig(stateDir)
  const log = makeLog('clock', o.logLevel ?? config.logLevel)
  const identity = await readStoredIdentity(stateDir)
  if (!identity) throw new MarshlightError('NOT_ENROLLED', { path: identityPath(stateDir) })
  const pin = createHash('sha256').update(new X509Certificate(identity.ca).raw).digest('hex')
  const { signal } = new AbortController()
  const asked = { ...enrolAddress(identity), proxy: config.proxy, pin }
  const deps = { clock, random, log, signal, ...time, ...(await since(stateDir, identity)) }
  return (await mendClockInTime(deps, asked)) ? 0 : 1
}

async function since(stateDir: string, identity: { certificate: string }): Promise<{ built: number; floor: number }> {
  const built = await builtAt()
  return { built, floor: Math.max(built, await signedBefore(stateDir, identity)) }
}

/** When this program was made, as its package's files are dated: reproducibly, by its source. */
export async function builtAt(): Promise<number> {
  const file = process.argv[1] ?? import.meta.filename
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}
