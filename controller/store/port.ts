export type SqlValue = string | number | bigint | null | Uint8Array
export type Row = Record<string, SqlValue>

/** Statements with `?` parameters. Dialect: what SQLite and PostgreSQL share, plus json functions named in store/. */
export interface Sql {
  all<T = Row>(sql: string, ...params: SqlValue[]): Promise<T[]>
  get<T = Row>(sql: string, ...params: SqlValue[]): Promise<T | undefined>
  run(sql: string, ...params: SqlValue[]): Promise<{ changes: number }>
}

/**
 * The database; the truth. Reads outside `tx` see the last commit. Transactions run one at a time; `tx` resolves after
 * a durable commit and rolls back if `work` throws. Never start a `tx` within a `tx`: pass its `sql` on.
 */
export interface Store extends Sql {
  tx<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** A consistent copy to `path` while running. */
  backup(path: string): Promise<void>
  close(): Promise<void>
}

/** A room's tables: statements that run once, in order of `version`. Never edit one that was released: add another. */
export type Migration = { version: number; room: string; statements: readonly string[] }
