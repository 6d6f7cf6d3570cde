import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeGathered } from '../../../controller/store/gathered.ts'
import type { Sql } from '../../../controller/store/port.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'

function world(t: { teardown(work: () => unknown): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'marshlight-gathered-'))
  const statements = ['CREATE TABLE things (n INTEGER PRIMARY KEY)']
  const store = openSqlite(join(folder, 'test.db'), [{ room: 'test', version: 1, statements }])
  t.teardown(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  let commits = 0
  const counted = {
    tx<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
      commits++
      return store.tx(work)
    },
  }
  const held = async () => (await store.all<{ n: number }>('SELECT n FROM things ORDER BY n')).map(({ n }) => n)
  return { store, counted, held, commits: () => commits }
}

const insert = (n: number) => (sql: Sql) => sql.run('INSERT INTO things VALUES (?)', n)

t.test('a thousand small writes make a few commits, in their order', async (t) => {
  const { counted, held, commits } = world(t)
  const write = makeGathered(counted)
  const results = await Promise.all(Array.from({ length: 1000 }, (_, n) => write(insert(n))))
  t.ok(results.every(({ changes }) => changes === 1))
  t.equal((await held()).length, 1000)
  t.ok(commits() <= 10, `${commits()} commits`)
})

t.test('one that fails is undone alone and says why; the others stand', async (t) => {
  const { counted, held, commits } = world(t)
  const write = makeGathered(counted)
  const outcomes = await Promise.allSettled([
    write(insert(1)),
    write(async (sql) => {
      await insert(2)(sql)
      await insert(1)(sql)
    }),
    write(insert(3)),
  ])
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.match((outcomes[1] as PromiseRejectedResult).reason, /UNIQUE/)
  t.same(await held(), [1, 3])
  await write(insert(4))
  t.same(await held(), [1, 3, 4])
  t.equal(commits(), 2)
})

t.test('where no transaction can begin, each is told, and later ones are tried again', async (t) => {
  const { store, held } = world(t)
  let broken = true
  const write = makeGathered({ tx: (work) => (broken ? Promise.reject(new Error('disk full')) : store.tx(work)) })
  const outcomes = await Promise.allSettled([write(insert(1)), write(insert(2))])
  t.ok(outcomes.every(({ status }) => status === 'rejected'))
  broken = false
  await write(insert(3))
  t.same(await held(), [3])
})
