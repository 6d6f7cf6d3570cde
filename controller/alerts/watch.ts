import type { Part } from '../../shared/lifecycle.ts'
import type { Deps } from '../deps.ts'
import type { Sql } from '../store/port.ts'
import { type Alert, raise, settle } from './alerts.ts'

const everyMs = 1000
/** An agent that is online and says nothing for so long is silent all the same. */
const heartbeatMs = 90_000

type WatchDeps = Pick<Deps, 'store' | 'bus' | 'clock' | 'config' | 'log'>

/**
 * Looks, once a second, for what nobody would otherwise tell: agents gone silent, decoys that are not ready, records
 * that were lost, messages that could not be used. What lasts has one alert until it ends, and then closes by itself.
 */
export function makeWatch(deps: WatchDeps): Part & { look(): Promise<void> } {
  const { store, bus, clock, config, log } = deps
  let halt = new AbortController()
  let running: Promise<void> | undefined
  // Nobody could be heard while the controller was down: silence counts from its start.
  let startedMs = clock.now()

  async function look(): Promise<void> {
    const found = await store.tx(async (sql) => [
      ...(await silentAgents(sql)),
      ...(await deadDecoys(sql)),
      ...(await grown(sql, 'losses')),
      ...(await grown(sql, 'dead_letters')),
    ])
    for (const id of found) bus.emit({ name: 'alert', id })
  }

  async function silentAgents(sql: Sql): Promise<string[]> {
    const agents = await sql.all<{
      id: string
      name: string
      presence: string
      presence_at: string | null
      last_seen: string | null
    }>(
      `SELECT id, name, presence, presence_at, last_seen FROM agents WHERE status = 'enrolled' AND (presence = 'offline'
         OR (presence = 'online' AND (last_seen IS NULL OR last_seen < ?))
         OR id IN (SELECT subject FROM alerts WHERE kind = 'silent-agent' AND status <> 'closed'))`,
      new Date(clock.now() - heartbeatMs).toISOString(),
    )
    const standing = new Set(await openSubjects(sql, 'silent-agent'))
    const ids: (string | undefined)[] = []
    for (const { id, name, presence, presence_at, last_seen } of agents) {
      const quietSinceMs = Date.parse((presence === 'offline' ? presence_at : (last_seen ?? presence_at)) ?? '') || 0
      const patienceMs = presence === 'offline' ? config.alerts.silentAgentSeconds * 1000 : heartbeatMs
      const silent = clock.now() - Math.max(quietSinceMs, startedMs) >= patienceMs
      if (silent && !standing.has(id)) {
        const since = last_seen ?? presence_at ?? 'it was enrolled'
        const words = presence === 'offline' ? 'its connection ended' : 'it is connected and sends nothing'
        const alert = await raise(sql, deps, {
          kind: 'silent-agent',
          subject: id,
          severity: 'high',
          title: `agent ${name} is silent`,
          reasons: [`${words}; last heard of at ${since}`],
          lasting: true,
        })
        ids.push(alert?.id)
      }
      if (!silent && standing.has(id) && presence === 'online')
        ids.push(await settle(sql, clock, { kind: 'silent-agent', subject: id, why: 'it is heard again' }))
    }
    return ids.filter((id) => id !== undefined)
  }

  async function deadDecoys(sql: Sql): Promise<string[]> {
    const before = new Date(clock.now() - config.alerts.deadDecoySeconds * 1000).toISOString()
    const dead = await sql.all<{
      decoy: string
      agent: string
      phase: string
      unready_since: string
      reason: string | null
    }>(
      `SELECT d.decoy, d.agent, d.phase, d.unready_since, d.reason FROM alert_decoys d WHERE d.unready_since IS NOT NULL AND d.unready_since <= ?
         AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.kind = 'dead-decoy' AND a.subject = d.decoy AND a.status <> 'closed')`,
      before,
    )
    const raised: (Alert | undefined)[] = []
    for (const { decoy, phase, unready_since, reason } of dead)
      raised.push(
        await raise(sql, deps, {
          kind: 'dead-decoy',
          subject: decoy,
          severity: phase === 'rejected' ? 'high' : 'warning',
          title: `decoy ${decoy} is ${phase}`,
          reasons: [`not ready since ${unready_since}`, ...(reason ? [reason] : [])],
          lasting: true,
        }),
      )
    return raised.flatMap((alert) => alert?.id ?? [])
  }

  /** Rows that came to a table since the last look, by agent. */
  async function grown(sql: Sql, table: 'losses' | 'dead_letters'): Promise<string[]> {
    const worker = `alerts.${table}`
    const from = (await sql.get<{ pos: number }>('SELECT pos FROM cursors WHERE worker = ?', worker))?.pos ?? 0
    const rows = await sql.all<{ agent: string; n: number; last: number; why: string }>(
      table === 'losses'
        ? `SELECT agent, SUM(last - first + 1) AS n, MAX(id) AS last, MAX(reason) AS why FROM losses WHERE id > ? GROUP BY agent`
        : `SELECT agent, COUNT(*) AS n, MAX(id) AS last, MAX(why) AS why FROM dead_letters WHERE id > ? GROUP BY agent`,
      from,
    )
    if (rows.length === 0) return []
    await sql.run(
      'INSERT INTO cursors (worker, pos) VALUES (?, ?) ON CONFLICT (worker) DO UPDATE SET pos = excluded.pos',
      worker,
      Math.max(...rows.map(({ last }) => last)),
    )
    const raised: (Alert | undefined)[] = []
    for (const { agent, n, why } of rows)
      raised.push(
        await raise(sql, deps, {
          kind: table === 'losses' ? 'records-lost' : 'dead-letters',
          subject: agent,
          severity: table === 'losses' ? 'high' : 'warning',
          title: table === 'losses' ? `${n} records of an agent were lost` : `${n} messages could not be used`,
          reasons: [why],
        }),
      )
    return raised.flatMap((alert) => alert?.id ?? [])
  }

  async function loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await look().catch((error) => log.error({ err: error }, 'the watch could not look; it looks again'))
      await clock.sleep(everyMs, signal).catch(() => undefined)
    }
  }

  return {
    name: 'watch',
    look,
    async start() {
      startedMs = clock.now()
      halt = new AbortController()
      running = loop(halt.signal)
    },
    async stop() {
      halt.abort()
      await running
    },
  }
}

async function openSubjects(sql: Sql, kind: string): Promise<string[]> {
  const rows = await sql.all<{ subject: string }>(
    `SELECT subject FROM alerts WHERE kind = ? AND status <> 'closed'`,
    kind,
  )
  return rows.map(({ subject }) => subject)
}
