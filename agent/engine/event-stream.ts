import type Docker from 'dockerode'
import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import { observedEvent } from './observed.ts'
import type { EngineEvent } from './port.ts'

export type WatchDeps = { docker: Docker; label: string; log: Log; clock: Clock; random: Random }

/**
 * Follows the engine's events until the signal ends. The stream ends without a word when the engine restarts, so its
 * end is as good as an error: connect again, and tell the caller that something may have been missed.
 */
export async function watchEvents(
  deps: WatchDeps,
  onEvent: (event: EngineEvent) => void,
  onReconnect: () => void,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    try {
      const stream = await openStream(deps, signal)
      failures = 0
      onReconnect()
      for await (const line of linesOf(stream)) {
        const event = observedEvent(line)
        if (event) onEvent(event)
      }
      deps.log.info('the engine ended its event stream')
    } catch (error) {
      if (signal.aborted) break
      deps.log.warn({ why: wordsOf(error) }, 'lost the event stream of the engine')
    }
    failures++
    const delay = retryDelay(failures, { firstMs: 200, capMs: 10_000, random: deps.random })
    await deps.clock.sleep(delay, signal).catch(() => undefined)
  }
}

async function openStream({ docker, label }: WatchDeps, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
  const filters = { label: [label], type: ['container'], event: ['start', 'die', 'destroy', 'oom'] }
  const stream = await docker.getEvents({ filters, abortSignal: signal } as Docker.GetEventsOptions)
  const end = () => (stream as unknown as { destroy(): void }).destroy()
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  return stream as unknown as AsyncIterable<Buffer>
}

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
