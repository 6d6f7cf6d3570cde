import type { Sql, Store } from './port.ts'

export type Gathered = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>
type Waiting = { run(sql: Sql): Promise<() => void>; fail(error: unknown): void }

/** A commit ends at this many, so that others get their turn. */
const most = 128

/**
 * Small writes that come at the same time share a commit, whose cost is the disk's: a thousand agents that come at once
 * make a few of them, not thousands. Each resolves after the commit; one that throws is undone alone.
 */
export function makeGathered(store: Pick<Store, 'tx'>): Gathered {
  const waiting: Waiting[] = []
  let asked = false

  async function commit(): Promise<void> {
    let group: Waiting[] = []
    try {
      const outcomes = await store.tx(async (sql) => {
        // Only now: whatever came while others had their turn comes along.
        group = waiting.splice(0, most)
        asked = false
        if (waiting.length > 0) ask()
        const done: (() => void)[] = []
        for (const one of group) done.push(await apart(sql, one))
        return done
      })
      for (const tell of outcomes) tell()
    } catch (error) {
      asked = false
      // The transaction could not even begin: those who wait would wait for ever.
      for (const one of group.length > 0 ? group : waiting.splice(0)) one.fail(error)
    }
  }

  function ask(): void {
    if (asked) return
    asked = true
    void commit()
  }

  return (work) =>
    new Promise((resolve, reject) => {
      waiting.push({
        run: (sql) => work(sql).then((result) => () => resolve(result)),
        fail: reject,
      })
      ask()
    })
}

async function apart(sql: Sql, one: Waiting): Promise<() => void> {
  await sql.run('SAVEPOINT gathered')
  try {
    const done = await one.run(sql)
    await sql.run('RELEASE gathered')
    return done
  } catch (error) {
    await sql.run('ROLLBACK TO gathered')
    await sql.run('RELEASE gathered')
    return () => one.fail(error)
  }
}
