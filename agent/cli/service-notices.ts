import { execFile } from 'node:child_process'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'

/** Signs of life in the time after which systemd takes the service for dead: one may be late. */
const signsInThatTime = 3
/** systemd-notify waits for systemd to have read what it says. */
const sayWithinMs = 10_000

export type ServiceNotices = {
  /** It runs; from now on it gives signs of life where systemd wants them. */
  ready(): void
  stopping(): void
}

/**
 * Tells systemd that the agent runs, lives and stops (sd_notify(3)). Node cannot send datagrams to a Unix socket, so
 * systemd-notify does; the unit has NotifyAccess=all. The signs come from the event loop: what holds it up for long
 * gets the agent restarted. Does nothing where no service manager asks.
 */
export function makeServiceNotices(o: { env: NodeJS.ProcessEnv; clock: Clock; log: Log }): ServiceNotices {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: meant } = o.env
  const deadMs = meant === undefined || Number(meant) === process.pid ? Number(microseconds) / 1000 : 0
  const ended = new AbortController()
  let warned = false

  const say = (...words: string[]) =>
    new Promise<void>((resolve) => {
      execFile('systemd-notify', words, { timeout: sayWithinMs, env: o.env }, (error) => {
        if (error && !warned) o.log.warn({ words }, `systemd was not told: ${wordsOf(error)}`)
        warned ||= error !== null
        resolve()
      })
    })

  async function live(everyMs: number): Promise<void> {
    while (!ended.signal.aborted) {
      await say('WATCHDOG=1')
      await o.clock.sleep(everyMs, ended.signal).catch(() => undefined)
    }
  }

  return {
    ready() {
      if (!socket) return
      void say('--ready')
      if (deadMs > 0) void live(deadMs / signsInThatTime)
    },
    stopping() {
      ended.abort(new Error('stopping'))
      if (socket) void say('STOPPING=1')
    },
  }
}
