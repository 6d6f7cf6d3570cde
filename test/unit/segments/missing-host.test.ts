import t from 'tap'
import { segmentRoutes } from '../../../controller/api/routes/segments.ts'
import { segmentsCommand } from '../../../controller/cli/commands/segments.ts'
import { apiWorld } from './api-world.ts'

t.test('a host that is not there: the command to paste is one, whatever the segment is called', async (t) => {
  const { run, store, ids } = await apiWorld(t, { routes: [segmentRoutes], commands: [segmentsCommand] })
  const next = (segment: string) => run('segments', 'show', segment, '198.18.1.99').catch((error) => String(error.next))
  t.match(await next('office'), 'with `marshlight segments show office`')
  const name = 'Halle 3; reboot $(id)'
  await store.run('UPDATE segments SET name = ? WHERE id = ?', name, ids.segment)
  t.match(await next(name), `with \`marshlight segments show ${ids.segment}\``)
})
