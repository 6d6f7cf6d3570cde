import t from 'tap'
import { blockRoutes } from '../../../controller/api/routes/blocks.ts'
import { blocksCommand } from '../../../controller/cli/commands/blocks.ts'
import { responseTables } from '../../../controller/response/index.ts'
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
