import t from 'tap'
import { blockRoutes } from '../../../controller/api/routes/blocks.ts'
import { blocksCommand } from '../../../controller/cli/commands/blocks.ts'
import { responseTables, unenforcedTables } from '../../../controller/response/index.ts'
import { apiWorld } from '../segments/api-world.ts'
import { iso } from '../segments/fleet.ts'

t.test('accepting a proposed block as a dry run says what it would do, and changes nothing', async (t) => {
  const { run, store, bus } = await apiWorld(t, {
    routes: [blockRoutes],
    commands: [blocksCommand],
    tables: [responseTables],
  })
  const changes: unknown[] = []
  bus.on('blocks-changed', (event) => changes.push(event))
  await store.run(
    `INSERT INTO decisions (id, kind, target, reason, evidence, made_at, expires_at, status, made_by)
     VALUES ('one', 'block', '192.0.2.9/32', 'a test', '[]', ?, ?, 'proposed', 'risk')`,
    iso(0),
    iso(3600),
  )
  const all = () => store.all('SELECT * FROM decisions ORDER BY id')
  const before = await all()
  t.match(await run('blocks', 'accept', 'one', '--dry-run'), /^Would block 192\.0\.2\.9\/32 until/)
  t.same(await all(), before)
  t.same(changes, [])
  t.match(await run('blocks', 'accept', 'one'), /^Blocked 192\.0\.2\.9\/32 until/)
  t.match(await all(), { length: 2 })
  t.equal(changes.length, 1)
})

t.test('a block says where it is not enforced, and why, as long as it is active', async (t) => {
  const { run, store } = await apiWorld(t, {
    routes: [blockRoutes],
    commands: [blocksCommand],
    tables: [responseTables, unenforcedTables],
  })
  await store.run(
    `INSERT INTO decisions (id, kind, target, reason, evidence, made_at, expires_at, status, made_by)
     VALUES ('one', 'block', '192.0.2.9/32', 'a test', '[]', ?, ?, 'active', 'risk')`,
    iso(0),
    iso(3600),
  )
  for (const [agent, why] of [
    ['gate', 'expired'],
    ['box-b', 'refused'],
  ] as const)
    await store.run(`INSERT INTO decision_unenforced VALUES ('one', ?, 3, ?, ?)`, agent, why, iso(5))
  const shown = await run('blocks', 'show', 'one')
  t.match(shown, /NOT enforced by gate: over by its clock/)
  t.match(shown, /NOT enforced by box-b: it never blocks this/)
  t.notMatch(shown, /^.{81}/m)
  await run('blocks', 'undo', 'one')
  t.notMatch(await run('blocks', 'show', 'one'), /NOT enforced/)
})
