import type { Part } from '../../shared/lifecycle.ts'
import { makeRounds } from '../../shared/rounds.ts'
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
    for (const { subject } of await revokedAndSilent(sql))
      ids.push(await settle(sql, clock, { kind: 'silent-agent', subject, why: 'it is no longer enrolled' }))
    return ids.filter((id) => id !== undefined)
  }

  async function deadDecoys(sql: Sql): Promise<string[]> {
    const before = new Date(clock.now() - config.alerts.deadDecoySeconds * 1000).toISOString()
    const ids: (string | undefined)[] = []
    for (const one of await missingDecoys(sql, before)) {
      const alert = await raise(sql, deps, {
        kind: 'dead-decoy',
        subject: one.id,
        severity: one.phase === 'rejected' ? 'high' : 'warning',
        title: `decoy ${one.hostname} (${one.ip}) is ${one.phase ?? 'not heard of'}`,
        reasons: [`not ready since ${one.since}`, ...(one.reason ? [one.reason] : [])],
        lasting: true,
      })
      ids.push(alert?.id)
    }
    for (const subject of await retiredButMissed(sql))
      ids.push(await settle(sql, clock, { kind: 'dead-decoy', subject, why: 'it is no longer wanted' }))
    for (const { subject, why } of await noLongerCondemned(sql))
      ids.push(await settle(sql, clock, { kind: 'unsafe-decoy', subject, why }))
    return ids.filter((id) => id !== undefined)
  }

  /** Rows that came to a table since the last look, by agent. */
  async function grown(sql: Sql, table: 'losses' | 'dead_letters'): Promise<string[]> {
    const worker = `alerts.${table}`
    const from = (await sql.get<{ pos: number }>('SELECT pos FROM cursors WHERE worker = ?', worker))?.pos ?? 0
    const rows = await sql.all<{ agent: string; name: string; n: number; last: number; why: string }>(
      table === 'losses'
        ? `SELECT agent, COALESCE((SELECT name FROM agents WHERE id = agent), agent) AS name, SUM(last - first + 1) AS n,
            MAX(id) AS last, MAX(reason) AS why FROM losses WHERE id > ? GROUP BY agent`
        : `SELECT agent, COALESCE((SELECT name FROM agents WHERE id = agent), agent) AS name, COUNT(*) AS n,
            MAX(id) AS last, MAX(why) AS why FROM dead_letters WHERE id > ? GROUP BY agent`,
      from,
    )
    if (rows.length === 0) return []
    await sql.run(
      'INSERT INTO cursors (worker, pos) VALUES (?, ?) ON CONFLICT (worker) DO UPDATE SET pos = excluded.pos',
      worker,
      Math.max(...rows.map(({ last }) => last)),
    )
    const raised: (Alert | undefined)[] = []
    for (const { agent, name, n, why } of rows)
      raised.push(
        await raise(sql, deps, {
          kind: table === 'losses' ? 'records-lost' : 'dead-letters',
          subject: agent,
          severity: table === 'losses' ? 'high' : 'warning',
          title:
            table === 'losses' ? `${n} records of ${name} were lost` : `${n} messages of ${name} could not be used`,
          reasons: [why],
        }),
      )
    return raised.flatMap((alert) => alert?.id ?? [])
  }

  const rounds = makeRounds({
    name: 'watch',
    clock,
    log,
    failure: 'the watch could not look; it looks again',
    afterFailureMs: everyMs,
    round: () => look().then(() => everyMs),
  })
  return {
    ...rounds,
    look,
    async start(signal) {
      startedMs = clock.now()
      await rounds.start(signal)
    },
  }
}

type Missing = { id: string; hostname: string; ip: string; phase: string | null; since: string; reason: string | null }

/**
 * Decoys that are wanted and not ready since `before`, or of which an agent that is connected never told; those with a
 * standing alert left out. What an agent that is gone would tell is its own alert.
 */
const missingDecoys = (sql: Sql, before: string): Promise<Missing[]> =>
  sql.all<Missing>(
    `SELECT d.id, d.hostname, d.ip, s.phase, COALESCE(s.unready_since, d.created_at) AS since, s.reason
     FROM decoys d LEFT JOIN alert_decoys s ON s.decoy = d.id JOIN agents a ON a.id = d.agent
     WHERE d.status = 'wanted' AND a.presence = 'online' AND a.presence_at <= ?
       AND NOT EXISTS (SELECT 1 FROM personas p WHERE p.id = d.persona AND p.version = d.persona_version AND p.status = 'waiting')
       AND d.condemned_at IS NULL AND (s.phase IS NOT 'condemned' OR d.changed_at <= ?)
       AND ((s.decoy IS NULL AND d.created_at <= ?) OR (s.unready_since IS NOT NULL AND s.unready_since <= ?))
       AND NOT EXISTS (SELECT 1 FROM alerts x WHERE x.kind = 'dead-decoy' AND x.subject = d.id AND x.status <> 'closed')`,
    before,
    before,
    before,
    before,
  )

async function retiredButMissed(sql: Sql): Promise<string[]> {
  const rows = await sql.all<{ subject: string }>(
    `SELECT subject FROM alerts WHERE kind = 'dead-decoy' AND status <> 'closed'
     AND NOT EXISTS (SELECT 1 FROM decoys d WHERE d.id = subject AND d.status = 'wanted')`,
  )
  return rows.map(({ subject }) => subject)
}

const noLongerCondemned = (sql: Sql): Promise<{ subject: string; why: string }[]> =>
  sql.all(
    `SELECT subject, CASE WHEN d.status = 'wanted' THEN 'an administrator released it' ELSE 'it is no longer wanted' END AS why
     FROM alerts LEFT JOIN decoys d ON d.id = subject WHERE kind = 'unsafe-decoy' AND alerts.status <> 'closed'
     AND (d.id IS NULL OR d.status <> 'wanted' OR d.condemned_at IS NULL)`,
  )

/** Agents that are no more, and whose silence is nobody's business. */
const revokedAndSilent = (sql: Sql): Promise<{ subject: string }[]> =>
  sql.all(
    `SELECT subject FROM alerts WHERE kind = 'silent-agent' AND status <> 'closed'
     AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = subject AND a.status = 'enrolled')`,
  )

async function openSubjects(sql: Sql, kind: string): Promise<string[]> {
  const rows = await sql.all<{ subject: string }>(
    `SELECT subject FROM alerts WHERE kind = ? AND status <> 'closed'`,
    kind,
  )
  return rows.map(({ subject }) => subject)
}
