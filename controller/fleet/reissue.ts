import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { Store } from '../store/port.ts'
import type { Desired } from './desired.ts'

type Deps = { store: Store; clock: Clock; log: Log; desired: Pick<Desired, 'refresh' | 'republish'> }

const everyMs = 3_600_000
const halfLifeMs = 3.5 * 86_400_000

/**
 * Content may have changed while nobody listened, and documents age: composed once more at the start, issued anew at half of
 * their life.
 */
export function makeReissue({ store, clock, log, desired }: Deps): Part {
  let halt = new AbortController()
  let running: Promise<void> | undefined

  async function issueOld(): Promise<void> {
    const old = await store.all<{ agent: string }>(
      `SELECT DISTINCT d.agent FROM desired d JOIN agents a ON a.id = d.agent WHERE a.status = 'enrolled' AND d.issued_at < ?`,
      new Date(clock.now() - halfLifeMs).toISOString(),
    )
    for (const { agent } of old) await desired.republish(agent)
  }

  async function loop(signal: AbortSignal): Promise<void> {
    const attempt = (work: Promise<void>) =>
      work.catch((error) => log.error({ why: wordsOf(error) }, 'documents could not be issued anew'))
    await attempt(desired.refresh('blocks', 'all'))
    await attempt(desired.refresh('plan', 'all'))
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => undefined)
      if (!signal.aborted) await attempt(issueOld())
    }
  }

  return {
    name: 'reissue',
    async start() {
      halt = new AbortController()
      running = loop(halt.signal)
    },
    async stop() {
      halt.abort()
      await running
    },
  }
}
