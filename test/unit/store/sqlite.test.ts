import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../../controller/store/sqlite.ts'

const tables = [
  { room: 'test', version: 1, statements: ['CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)'] },
]

const place = (t: { teardown(work: () => unknown): void }) => {
  const folder = mkdtempSync(join(tmpdir(), 'marshlight-store-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'test.db')
}

t.test('a transaction that throws leaves nothing behind, and the next one works', async (t) => {
  const store = openSqlite(place(t), tables)
  t.teardown(() => store.close())
  await t.rejects(
    store.tx(async (sql) => {
      await sql.run(`INSERT INTO things (name) VALUES ('a')`)
      await sql.run(`INSERT INTO things (name) VALUES ('a')`)
    }),
  )
  await store.run(`INSERT INTO things (name) VALUES ('b')`)
  t.same(await store.all('SELECT name FROM things'), [{ name: 'b' }])
})

t.test('transactions run one after the other; reads outside see the last commit', async (t) => {
  const store = openSqlite(place(t), tables)
  t.teardown(() => store.close())
  const gate = Promise.withResolvers<void>()
  const first = store.tx(async (sql) => {
    await sql.run(`INSERT INTO things (name) VALUES ('first')`)
    await gate.promise
    return sql.all('SELECT name FROM things')
  })
  const second = store.tx((sql) => sql.all('SELECT name FROM things'))
  t.same(await store.all('SELECT name FROM things'), [], 'not committed yet')
  gate.resolve()
  t.equal((await first).length, 1)
  t.equal((await second).length, 1)
})

t.test('a failed migration leaves the database as it was', async (t) => {
  const path = place(t)
  await openSqlite(path, tables).close()
  const bad = { room: 'bad', version: 1, statements: ['CREATE TABLE half (id INTEGER)', 'CREATE TABLE ('] }
  t.throws(() => openSqlite(path, [...tables, bad]), /bad/)
  const store = openSqlite(path, tables)
  t.teardown(() => store.close())
  t.same(await store.all(`SELECT name FROM sqlite_master WHERE name = 'half'`), [])
})

t.test('a file that is no database, or a damaged one, is refused and left untouched', async (t) => {
  const path = place(t)
  writeFileSync(path, Buffer.alloc(8192, 'garbage'))
  t.throws(() => openSqlite(path, tables), { code: 'DATABASE_CORRUPT' })
})
