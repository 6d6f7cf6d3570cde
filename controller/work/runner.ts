import type { Clock } from '../../shared/clock.ts'
import { isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import type { StreamName } from '../../shared/schemas/envelope.ts'
import type { Sql, Store } from '../store/port.ts'
import type { Bus, BusEvent, Projector, StoredRecord } from './port.ts'

type Deps = { store: Store; bus: Bus; clock: Clock; log: Log }
type Read = { pos: number; agent: string; stream: StreamName; received_at: string; body: string }

const batchSize = 500
/** So many at most are taken through all projectors without a pause. */
const fewRecords = 120
const retryMs = 1000
const breathe = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * Runs projectors after each commit, in the order given: each reads on from its own cursor, in one transaction a batch.
 * A pass ends for all of them at the same record, so that one may rely on what those before it made of that record.
 *
 *   committed -> for each projector: read records > cursor -> project -> move cursor -> commit -> emit its events
 */
export function makeRunner(projectors: readonly Projector[], deps: Deps): Part & { drain(): Promise<void> } {
  const { store, bus, log } = deps
  let running: Promise<void> | undefined
  let again = false
  let stopped = false
  let halt = new AbortController()
  let off = () => {}

  async function pass(): Promise<void> {
    try {
      do {
        again = false
        const upTo = (await store.get<{ pos: number | null }>('SELECT MAX(pos) AS pos FROM records'))?.pos ?? 0
        // The database works on this thread: between two steps, sockets get theirs.
        if (await together(upTo)) {
          await breathe()
          continue
        }
        const idle = await withNothingToDo(upTo)
        if (idle.length > 0) await store.tx((sql) => moveCursors(sql, idle, upTo))
        for (const projector of projectors) {
          if (idle.includes(projector.name)) continue
          while (!stopped && (await step(projector, upTo))) await breathe()
        }
      } while (again && !stopped)
    } finally {
      // In the same turn as the last look at `again`, so that no wake-up falls between.
      running = undefined
    }
  }

  /**
   * A few records go through all projectors in one transaction: a commit costs a write to the disk, and would come a dozen
   * times as often. False where there are too many: sockets and other writers would wait for all of it.
   */
  async function together(upTo: number): Promise<boolean> {
    const events: BusEvent[] = []
    const done = await store.tx(async (sql) => {
      const cursors = new Map<string, number>()
      for (const { name } of projectors) cursors.set(name, await cursorOf(sql, name))
      const least = Math.min(upTo, ...cursors.values())
      if (upTo - least > fewRecords) return false
      const read = await readFrom(sql, least, upTo)
      for (const projector of projectors) {
        const from = cursors.get(projector.name) ?? 0
        const wanted = read.filter(({ pos, stream }) => pos > from && projector.streams.includes(stream)).map(toStored)
        if (wanted.length > 0) events.push(...(await projectSafely(projector, sql, wanted)))
        if (from < upTo) await moveCursors(sql, [projector.name], upTo)
      }
      return true
    })
    if (done) for (const event of events) bus.emit(event)
    return done
  }

  /** A step that fails as a whole (a full disk) is tried again, since the next commit may be long in coming. */
  async function passUntilDone(): Promise<void> {
    while (!stopped) {
      try {
        return await drain()
      } catch (error) {
        log.error({ err: error }, 'workers stopped short; trying again')
        await deps.clock.sleep(retryMs, halt.signal).catch(() => undefined)
      }
    }
  }

  /**
   * Projectors for which there is nothing up to there: they share one commit, since each costs a write to the disk. Not
   * looked for in a long backlog, which is gone through piece by piece.
   */
  async function withNothingToDo(upTo: number): Promise<string[]> {
    const idle: string[] = []
    for (const { name, streams } of projectors) {
      const from = await cursorOf(store, name)
      if (from === upTo || upTo - from > batchSize) continue
      const found = await store.get(
        `SELECT 1 AS one FROM records r JOIN streams s ON s.id = r.stream_id
         WHERE r.pos > ? AND r.pos <= ? AND s.stream IN (SELECT value FROM json_each(?)) LIMIT 1`,
        from,
        upTo,
        JSON.stringify(streams),
      )
      if (!found) idle.push(name)
    }
    return idle
  }

  async function step(projector: Projector, upTo: number): Promise<boolean> {
    let events: BusEvent[] = []
    const more = await store.tx(async (sql) => {
      const from = await cursorOf(sql, projector.name)
      const read = await readFrom(sql, from, upTo)
      const last = read.at(-1)
      if (!last) return false
      const wanted = read.filter(({ stream }) => projector.streams.includes(stream)).map(toStored)
      if (wanted.length > 0) events = await projectSafely(projector, sql, wanted)
      await moveCursors(sql, [projector.name], last.pos)
      return read.length === batchSize
    })
    for (const event of events) bus.emit(event)
    return more
  }

  async function projectSafely(projector: Projector, sql: Sql, records: StoredRecord[]): Promise<BusEvent[]> {
    await sql.run('SAVEPOINT batch')
    try {
      const events = await projector.project(sql, records)
      await sql.run('RELEASE batch')
      return events
    } catch (error) {
      await sql.run('ROLLBACK TO batch')
      await sql.run('RELEASE batch')
      if (records.length > 1) {
        const events: BusEvent[] = []
        for (const record of records) events.push(...(await projectSafely(projector, sql, [record])))
        return events
      }
      const [record] = records
      log.error(
        { projector: projector.name, pos: record?.pos, err: error },
        'a record could not be used; it is kept as a dead letter',
      )
      const payload = Buffer.from(JSON.stringify(record))
      await sql.run(
        'INSERT INTO dead_letters (agent, topic, at, why, size, payload) VALUES (?, ?, ?, ?, ?, ?)',
        record?.agent ?? '',
        `record:${projector.name}`,
        isoNow(deps.clock),
        wordsOf(error),
        payload.length,
        payload,
      )
      return []
    }
  }

  function drain(): Promise<void> {
    again = true
    running ??= Promise.resolve().then(pass)
    return running
  }

  return {
    name: 'workers',
    drain,
    async start() {
      stopped = false
      halt = new AbortController()
      off = bus.on('committed', () => {
        again = true
        if (!running) void passUntilDone()
      })
      // Not waited for: a long backlog would keep agents and people from being heard.
      void passUntilDone()
    },
    async stop() {
      stopped = true
      halt.abort()
      off()
      await running?.catch(() => undefined)
    },
  }
}

const cursorOf = async (sql: Pick<Sql, 'get'>, worker: string): Promise<number> =>
  (await sql.get<{ pos: number }>('SELECT pos FROM cursors WHERE worker = ?', worker))?.pos ?? 0

async function moveCursors(sql: Sql, workers: readonly string[], pos: number): Promise<void> {
  for (const worker of workers)
    await sql.run(
      `INSERT INTO cursors (worker, pos) VALUES (?, ?) ON CONFLICT (worker) DO UPDATE SET pos = max(pos, excluded.pos)`,
      worker,
      pos,
    )
}

const readFrom = (sql: Sql, from: number, upTo: number): Promise<Read[]> =>
  sql.all<Read>(
    `SELECT r.pos, s.agent, s.stream, r.received_at, r.body FROM records r JOIN streams s ON s.id = r.stream_id
     WHERE r.pos > ? AND r.pos <= ? ORDER BY r.pos LIMIT ${batchSize}`,
    from,
    upTo,
  )

const toStored = (row: Read): StoredRecord =>
  ({
    pos: row.pos,
    agent: row.agent,
    stream: row.stream,
    receivedAt: row.received_at,
    record: JSON.parse(row.body),
  }) as StoredRecord
