import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { AttachedProcess, Engine } from './port.ts'

export type KeptProcessDeps = { engine: Pick<Engine, 'attach'>; clock: Clock; log: Log }
export type KeptProcessOptions = {
  /** Container that it runs in, by name or id. */
  container: string
  argv: string[]
  onLine: (line: string) => void
  /** It runs: what it has to know first may be said. */
  onStarted?: () => void
  firstPauseMs?: number
}
export type KeptProcess = { say(line: string): void; stop(): Promise<void>; running(): boolean }

const longestPauseMs = 60_000
/** A run of this length is no failure. */
const fineMs = 30_000

/**
 * One process in a container that runs until `stop`: begun again when it ends, with pauses that grow while it ends soon.
 *
 *   attach -> runs -> ended -> pause (1 s, 2 s ... 1 min) -> attach ...
 *
 * `stop` ends its standard input, as the end of this process does: what is to end then, has to look at it.
 */
export function keepProcess(deps: KeptProcessDeps, options: KeptProcessOptions): KeptProcess {
  const { engine, clock, log } = deps
  const { container, argv, onLine } = options
  const halt = new AbortController()
  let now: AttachedProcess | undefined

  async function keep(): Promise<void> {
    let pauseMs = options.firstPauseMs ?? 1000
    while (!halt.signal.aborted) {
      const begun = clock.now()
      let why = 'it ended'
      try {
        now = await engine.attach(container, argv, { onLine })
        if (halt.signal.aborted) now.end()
        else options.onStarted?.()
        const { exitCode } = await now.ended
        why = `it ended with ${exitCode}`
      } catch (error) {
        why = wordsOf(error)
      }
      now = undefined
      if (halt.signal.aborted) return
      pauseMs = clock.now() - begun >= fineMs ? (options.firstPauseMs ?? 1000) : Math.min(pauseMs * 2, longestPauseMs)
      log.warn({ container, command: argv.join(' '), why, againInMs: pauseMs }, 'a process of a pod is begun again')
      await clock.sleep(pauseMs, halt.signal).catch(() => undefined)
    }
  }

  const running = keep()
  return {
    say: (line) => now?.say(line),
    running: () => now !== undefined,
    async stop() {
      halt.abort()
      now?.end()
      await running
    },
  }
}
