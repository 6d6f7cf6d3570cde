import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync, backup as sqliteBackup } from 'node:sqlite'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Migration, Row, Sql, SqlValue, Store } from './port.ts'

/**
 * SQLite through node:sqlite: one writer, one reader, WAL, synchronous=FULL, so that a commit that was reported
 * survives a power cut. Opens or makes `path`, checks it, and runs the migrations that it lacks.
 * Throws DATABASE_CORRUPT, DISK_READ_ONLY.
 */
export function openSqlite(path: string, migrations: readonly Migration[]): Store {
  const writer = open(path)
  migrate(writer, path, migrations)
  const reader = open(path)
  const write = statementsOf(writer)
  const read = statementsOf(reader)
  let last: Promise<unknown> = Promise.resolve()

  async function oneAtATime<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    writer.exec('BEGIN IMMEDIATE')
    try {
      const result = await work(write)
      writer.exec('COMMIT')
      return result
    } catch (error) {
      if (writer.isTransaction) writer.exec('ROLLBACK')
      throw error
    }
  }

  const tx = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const turn = last.then(() => oneAtATime(work))
    last = turn.catch(() => undefined)
    return turn
  }

  return {
    all: read.all,
    get: read.get,
    run: (sql, ...params) => tx((inner) => inner.run(sql, ...params)),
    tx,
    backup: async (to) => {
      await sqliteBackup(reader, to)
    },
    close: async () => {
      await last
      reader.close()
      writer.close()
    },
  }
}

function open(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode=WAL')
    checkWhole(database, path)
    database.exec('PRAGMA synchronous=FULL')
    database.exec('PRAGMA foreign_keys=ON')
    database.exec('PRAGMA busy_timeout=5000')
    // Copying the log into the database often costs half of the writing speed; 32 MB of log cost nothing.
    database.exec('PRAGMA wal_autocheckpoint=8000')
    database.exec('PRAGMA journal_size_limit=67108864')
    database.exec('PRAGMA cache_size=-32768')
    return database
  } catch (error) {
    const why = wordsOf(error)
    if (/readonly|unable to open/i.test(why))
      throw new MarshlightError('DISK_READ_ONLY', { path, why, option: '--data' })
    throw new MarshlightError('DATABASE_CORRUPT', { path, why })
  }
}

/** Larger databases would keep the controller from starting for too long. */
const checkedBytes = 256 * 1_048_576

function checkWhole(database: DatabaseSync, path: string): void {
  if (statSync(path).size > checkedBytes) return
  const found = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string } | undefined
  if (found?.quick_check !== 'ok') throw new Error(found?.quick_check ?? 'it cannot be checked')
}

function migrate(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS migrations (room TEXT, version INTEGER, at TEXT, PRIMARY KEY (room, version))',
  )
  const done = database.prepare('SELECT 1 FROM migrations WHERE room = ? AND version = ?')
  for (const { room, version, statements } of [...migrations].sort((a, b) => a.version - b.version)) {
    if (done.get(room, version)) continue
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const statement of statements) database.exec(statement)
      database.prepare('INSERT INTO migrations VALUES (?, ?, datetime())').run(room, version)
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw new Error(`the tables of ${room} (version ${version}) cannot be made in ${path}`, { cause: error })
    }
  }
}

/** Statements are prepared once and kept: a second preparation costs more than most of them. */
function statementsOf(database: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql)
    if (known) return known
    const statement = database.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
  return {
    all: async <T = Row>(sql: string, ...params: SqlValue[]) => prepare(sql).all(...params) as T[],
    get: async <T = Row>(sql: string, ...params: SqlValue[]) => prepare(sql).get(...params) as T | undefined,
    run: async (sql, ...params) => ({ changes: Number(prepare(sql).run(...params).changes) }),
  }
}
