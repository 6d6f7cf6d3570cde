import t from 'tap'
import { newId } from '../../shared/ids.ts'
import { command, controllerWorld } from '../faults/world.ts'

t.setTimeout(60_000)

t.test('all records can be read, a piece at a time, each once and in order', async (t) => {
  const world = await controllerWorld(t)
  const agent = await world.newAgent('a')
  const decoy = newId()
  const persona = newId()
  const count = 23
  const next = agent.send(
    'events',
    Array.from({ length: count }, (_, i) => ({
      type: 'event',
      at: new Date(1_790_000_000_000 + i).toISOString(),
      decoy,
      persona,
      personaVersion: 1,
      revision: 1,
      service: 'cowrie',
      kind: 'command',
      session: 's1',
      command: `echo ${i}`,
      source: 'cowrie.command.input',
    })),
  )
  await agent.committed('events', next)
  const commands: string[] = []
  for (let after = 0; ; ) {
    const page = ['events', 'ls', '--stream', 'events', '--after', `${after}`, '--limit', '10', '--json']
    const { out, err, code } = await command('marshlight', '--data', world.dataDir, ...page)
    t.equal(code, 0, err)
    const items = JSON.parse(out) as { pos: number; record: { command: string } }[]
    commands.push(...items.map(({ record }) => record.command))
    after = items.at(-1)?.pos ?? after
    if (items.length < 10) break
  }
  t.same(
    commands,
    Array.from({ length: count }, (_, i) => `echo ${i}`),
  )
})
