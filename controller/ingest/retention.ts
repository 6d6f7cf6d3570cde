import type { Clock } from '../../shared/clock.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { makeRounds } from '../../shared/rounds.ts'
import type { StreamName } from '../../shared/schemas/envelope.ts'
import type { ControllerConfig } from '../config.ts'
import type { Sql, Store } from '../store/port.ts'

type Deps = { store: Store; clock: Clock; log: Log; config: Pick<ControllerConfig, 'retention'> }

const stepRows = 500
const everyMs = 600_000
const dayMs = 86_400_000

/**
 * Deletes what is older than configured, in small transactions so that ingest goes on between. Invariants: no record that a
 * worker has yet to read is deleted, nor the newest record, loss or dead letter (SQLite would give its place out again,
 * below the cursors).
 */
export function makeRetention(deps: Deps, workers: readonly string[]): Part & { sweep(): Promise<number> } {
  const { store, clock, log, config } = deps

  async function sweep(signal?: AbortSignal): Promise<number> {
    const { recordsDays, healthDays, deadLettersDays } = config.retention
    const before = (days: number) => new Date(clock.now() - days * dayMs).toISOString()
    let deleted = 0
    for (const { id, stream } of await store.all<{ id: number; stream: StreamName }>(
      'SELECT id, stream FROM streams',
    )) {
      const cutoff = before(stream === 'health' ? Math.min(healthDays, recordsDays) : recordsDays)
      deleted += await repeat(signal, (sql) => deleteRecords(sql, id, cutoff))
    }
    deleted += await repeat(signal, (sql) => deleteOld(sql, 'dead_letters', 'id', before(deadLettersDays), butNewest))
    deleted += await repeat(signal, (sql) => deleteOld(sql, 'losses', 'id', before(recordsDays), butNewest))
    deleted += await repeat(signal, (sql) => deleteOld(sql, 'blobs', 'sha256', before(recordsDays)))
    deleted += await repeat(signal, (sql) => deleteOld(sql, 'blob_parts', 'rowid', before(recordsDays)))
    return deleted
  }

  async function repeat(signal: AbortSignal | undefined, step: (sql: Sql) => Promise<number>): Promise<number> {
    let sum = 0
    while (!signal?.aborted) {
      const changes = await store.tx(step)
      sum += changes
      if (changes < stepRows) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    return sum
  }

  async function deleteRecords(sql: Sql, streamId: number, cutoff: string): Promise<number> {
    const limit = await readByAll(sql)
    const { changes } = await sql.run(
      `DELETE FROM records WHERE pos IN (
         SELECT pos FROM (SELECT pos, received_at FROM records WHERE stream_id = ? ORDER BY number LIMIT ${stepRows})
         WHERE received_at < ? AND pos <= ? AND pos < (SELECT max(pos) FROM records))`,
      streamId,
      cutoff,
      limit,
    )
    return changes
  }

  /** The position up to which every worker has read; 0 while one has not begun. */
  async function readByAll(sql: Sql): Promise<number> {
    const rows = await sql.all<{ worker: string; pos: number }>('SELECT worker, pos FROM cursors')
    const at = new Map(rows.map(({ worker, pos }) => [worker, pos]))
    return workers.reduce((least, worker) => Math.min(least, at.get(worker) ?? 0), Number.MAX_SAFE_INTEGER)
  }

  const rounds = makeRounds({
    name: 'retention',
    clock,
    log,
    failure: 'retention failed; trying again later',
    afterFailureMs: everyMs,
    async round(signal) {
      const deleted = await sweep(signal)
      if (deleted > 0) log.info({ deleted }, 'deleted what is older than the retention')
      return everyMs
    },
  })
  return { ...rounds, sweep }
}

/** Whoever alerts of new rows remembers the last id: SQLite gives the newest out again once it is deleted. */
const butNewest = (table: string) => `AND id < (SELECT MAX(id) FROM ${table})`

/** `table` and `key` are names of ours, never input. */
async function deleteOld(
  sql: Sql,
  table: string,
  key: string,
  cutoff: string,
  but: (table: string) => string = () => '',
): Promise<number> {
  const { changes } = await sql.run(
    `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE at < ? ${but(table)} LIMIT ${stepRows})`,
    cutoff,
  )
  return changes
}
