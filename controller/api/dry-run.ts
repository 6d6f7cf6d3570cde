import type { Sql, Store } from '../store/port.ts'

class RolledBack extends Error {
  readonly result: unknown

  constructor(result: unknown) {
    super('a dry run')
    this.result = result
  }
}

/** Runs `work` as it would be run, in one transaction; with `dry` the transaction is rolled back after it. */
export async function changeOrTry<T>(store: Store, dry: boolean, work: (sql: Sql) => Promise<T>): Promise<T> {
  if (!dry) return store.tx(work)
  try {
    await store.tx(async (sql) => {
      throw new RolledBack(await work(sql))
    })
  } catch (error) {
    if (error instanceof RolledBack) return error.result as T
    throw error
  }
  throw new Error('a dry run was committed')
}
