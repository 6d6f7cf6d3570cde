import { type Clock, isoNow } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { type Gathered, makeGathered } from '../store/gathered.ts'
import type { Store } from '../store/port.ts'
import type { Bus } from '../work/port.ts'

type Deps = {
  store: Store
  bus: Bus
  clock: Clock
  log: Log
  silentSeconds: number
  /** Whether there is a connection of it, and whether it hears what is sent to it. */
  connected(agent: string): boolean
  listens(agent: string): boolean
  /** Newcomers that wait to be let in, and how many were told to come later so far. */
  door(): { waiting: number; turnedAway: number }
  /** Small writes that share commits, with others' where given. */
  write?: Gathered
}
type Status = 'online' | 'offline'

const flushMs = 3000
/** One that is turned away comes again within 15 s, and may have to wait as long once more. */
const comesAgainMs = 30_000
/** A flood of strangers at the door hides no agent's silence for longer. */
const crowdedAtMostMs = 180_000

/**
 * Who is there. After a start nobody is known; who has not come back within the time for silence is offline. While a crowd
 * waits at the door, as after an outage of this controller, who is not in yet is not silent but late, and stays unknown.
 *
 *   unknown -> online (it listens) <-> offline (disconnect, last will, silence)
 */
export function makePresence(deps: Deps): Part & {
  set(agent: string, status: Status): Promise<void>
  /** It said something. Written down every few seconds. */
  seen(agent: string): void
} {
  const { store, bus, clock, log } = deps
  const write = deps.write ?? makeGathered(store)
  const heard = new Set<string>()
  let halt = new AbortController()
  let running: Promise<void> | undefined

  async function set(agent: string, status: Status): Promise<void> {
    const now = isoNow(clock)
    const { changes } = await write((sql) =>
      sql.run(
        `UPDATE agents SET presence = ?, presence_at = ?, last_seen = CASE WHEN ? = 'online' THEN ? ELSE last_seen END
         WHERE id = ? AND presence <> ?`,
        status,
        now,
        status,
        now,
        agent,
        status,
      ),
    )
    if (changes > 0) bus.emit({ name: 'presence', agent, status })
  }

  async function flush(): Promise<void> {
    if (heard.size === 0) return
    const agents = JSON.stringify([...heard])
    heard.clear()
    await store.run(
      'UPDATE agents SET last_seen = ? WHERE id IN (SELECT value FROM json_each(?))',
      isoNow(clock),
      agents,
    )
  }

  /** What the database holds and who is connected may differ after a crash or a failed write. */
  async function compare(crowded: boolean): Promise<void> {
    const rows = await store.all<{ id: string; presence: string }>(
      `SELECT id, presence FROM agents WHERE status = 'enrolled' OR presence = 'online'`,
    )
    const changed: Promise<void>[] = []
    for (const { id, presence } of rows) {
      const status: Status | undefined = deps.listens(id) ? 'online' : deps.connected(id) ? undefined : 'offline'
      if (presence === 'unknown' && status === 'offline' && crowded) continue
      // One that is coming says so itself.
      if (status && presence !== status) changed.push(set(id, status))
    }
    await Promise.all(changed)
  }

  async function loop(signal: AbortSignal): Promise<void> {
    const began = clock.now()
    let [crowdedAt, away] = [Number.NEGATIVE_INFINITY, 0]
    while (!signal.aborted) {
      await clock.sleep(flushMs, signal).catch(() => undefined)
      const now = clock.now()
      const { waiting, turnedAway } = deps.door()
      if (waiting > 0 || turnedAway !== away) crowdedAt = now
      away = turnedAway
      const crowded = now - crowdedAt < comesAgainMs && now - began < crowdedAtMostMs
      try {
        await flush()
        if (!signal.aborted && now - began >= deps.silentSeconds * 1000) await compare(crowded)
      } catch (error) {
        log.error({ err: error }, 'presence could not be written')
      }
    }
  }

  return {
    name: 'presence',
    set,
    seen: (agent) => void heard.add(agent),
    async start() {
      halt = new AbortController()
      await store.run(`UPDATE agents SET presence = 'unknown' WHERE presence <> 'unknown'`)
      running = loop(halt.signal)
    },
    async stop() {
      halt.abort()
      await running
    },
  }
}
