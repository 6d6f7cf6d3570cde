import t from 'tap'
import { scanRoutes } from '../../../controller/api/routes/scans.ts'
import { scansCommand } from '../../../controller/cli/commands/scans.ts'
import { newId } from '../../../shared/ids.ts'
import { apiWorld } from './api-world.ts'
import { scan, startedAt } from './fleet.ts'

t.test('scans are listed by the bare word, and shown with their passes by id, its beginning, or segment', async (t) => {
  const { run, see } = await apiWorld(t, { routes: [scanRoutes], commands: [scansCommand] })
  const id = newId(startedAt + 60_000)
  await see(
    Object.assign(scan('quick', 90), { id }),
    Object.assign(scan('detail', 120), { id, outcome: 'failed', reason: 'nmap ended with 1' }),
  )
  const listed = await run('scans')
  t.match(listed, /^ID +STARTED +SEGMENT +PASS +OUTCOME +HOSTS +TOOK\n/)
  t.same(
    listed.split('\n').filter((line) => line.length > 80),
    [],
  )
  const [, first = ''] = listed.split('\n')
  t.match(first, /detail +failed/, 'newest first')
  for (const key of [id, id.slice(0, 30), 'office']) {
    const shown = await run('scans', 'show', key)
    t.match(shown, new RegExp(`scan +${id}\n.*office 198.18.1.0/24`), key)
    t.match(shown, /quick .*done .*6\/254[\s\S]*detail .*failed .*nmap ended with 1/, 'in the order they ran')
  }
  t.match(JSON.parse(await run('scans', 'show', id, '--json')), {
    id,
    passes: [{ phase: 'quick' }, { phase: 'detail' }],
  })
  await t.rejects(run('scans', 'show', 'cellar'), { code: 'NOT_FOUND' })
})
