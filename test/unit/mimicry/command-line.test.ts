import t from 'tap'
import { mimicryRoutes } from '../../../controller/api/routes/mimicry.ts'
import { apartTables, baselineTables, forgottenTables } from '../../../controller/baselines/index.ts'
import { mimicryCommand } from '../../../controller/cli/commands/mimicry.ts'
import {
  makeMimicryProjector,
  mimicryMovedTables,
  mimicryTables,
  patternsForPlan,
} from '../../../controller/mimicry/index.ts'
import { newId } from '../../../shared/ids.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { MimicryReport, PatternsSeen, TrafficPattern } from '../../../shared/schemas/mimicry.ts'
import { apiWorld } from '../segments/api-world.ts'
import { cidr, iso, startedAt } from '../segments/fleet.ts'

t.test('what decoys did and what it is drawn from is told within 80 columns, and nothing is lost of it', async (t) => {
  const { run, store, ids } = await apiWorld(t, {
    routes: [mimicryRoutes],
    commands: [mimicryCommand],
    tables: [baselineTables, forgottenTables, apartTables, mimicryTables, mimicryMovedTables],
    config: { mimicry: { level: 'high', resolvers: [{ ip: '198.18.1.3' }] } },
  })
  const lines = async (...words: string[]) => {
    const text = await run('mimicry', ...words)
    for (const line of text.split('\n')) t.ok([...line].length <= 80, line)
    return text
  }
  t.match(await lines('ls'), /Nothing was reported in the last 24 hours/)
  t.match(await lines('show', 'office'), /No agent saw enough of this segment/)

  const random = seededRandom('command line')
  const sizes = (most: number) => Array.from({ length: 64 }, () => most * random()).sort((a, b) => a - b)
  const shape = { request: sizes(2e6), response: sizes(9e8), pauseMs: sizes(90_000) }
  const pattern = (kind: string): TrafficPattern => ({
    kind,
    hourly: Array.from({ length: 24 }, () => 123_456 * random()),
    burst: 0.98,
    gapMs: sizes(100_000),
    exchanges: sizes(256),
    opening: [shape, shape],
    classes: [{ share: 1, ...shape }],
    n: 1_000_000,
    hosts: 5000,
  })
  // What goes to everybody there is most of, and of what decoys make more than a plan bears.
  const everybody = ['mdns', 'ssdp', 'dhcp', 'netbios', 'llmnr', 'udp other', 'udp 32767']
  const patterns = [...everybody, 'https', 'dns', 'ntp', 'tcp 21000', 'smb', 'ssh', 'ldap'].map(pattern)
  const seen: PatternsSeen = { type: 'patterns', at: iso(60), from: iso(-604_800), cidr, patterns }
  // A name as long as NetBIOS takes it.
  const decoys = ['accounts-fs-015', 'db-2'].map((hostname) => ({ id: newId(startedAt), hostname }))
  for (const [i, { id, hostname }] of decoys.entries())
    await store.run(
      `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'p', 1, 'desired', 'person', ?, ?, 'a test')`,
      ...[id, ids.segment, ids.agent, cidr, `198.18.1.${60 + i}`, `00:50:56:11:00:0${i}`, hostname, iso(0), iso(0)],
    )
  const reports = decoys.flatMap(({ id }) =>
    [0, 7].map(
      (instance): MimicryReport => ({
        type: 'mimicry',
        at: iso(0),
        decoy: id,
        instance,
        seconds: 600,
        planned: 86_400,
        done: 86_399,
        failed: 1234,
        bounded: 12_345,
        bytes: 23_999_999_000,
        score: 100,
        redrawn: true,
      }),
    ),
  )
  const records = [seen, ...reports].map((record, i) => {
    return { pos: 900 + i, agent: ids.agent, stream: 'features' as const, receivedAt: iso(60), record }
  })
  await store.tx((sql) => makeMimicryProjector().project(sql, records))

  const listed = await lines('ls')
  t.match(listed, /accounts-fs-015 +0 +86399 +1234 +12345 +23999999 +100 +1 +11-21 05:00\n/)
  t.match(listed, /db-2 +7 +86399/)
  const shown = await lines('show', 'office')
  t.match(shown, /KIND +N +BY HOUR, UTC +AN HOUR +ASKS +GETS +TURNS/)
  for (const { kind } of patterns)
    t.match(shown, new RegExp(`^${kind} +1000000 +[▁▂▃▄▅▆▇█]{24} +[0-9]+ +[0-9]+ kB +[0-9]+ kB +[0-9]+$`, 'm'))
  for (const text of [listed, shown]) t.notMatch(text, /…/, 'nothing is cut')
  t.match(shown, /; hosts: 5000$/m)
  const flat = shown.replaceAll(/\s+/g, ' ')
  t.match(flat, `Not made (what goes to everybody): ${everybody.join(', ')}`)
  t.match(flat, 'Not made (nobody to ask stands in `mimicry.clocks`): ntp')
  t.match(flat, 'Not made (a plan bears the 6 kinds there is most of): ldap')
  t.notMatch(flat, 'own shapes: ', 'updates have no place, and all else was seen')
  if (process.env.SHOW) process.stderr.write(`${listed}\n${shown}`)
  t.match(JSON.parse(await run('mimicry', 'show', 'office', '--json')), {
    level: 'high',
    segment: 'office',
    seen: [{ patterns: [{ kind: 'mdns', n: 1_000_000 }], notMade: { length: 9 }, inOwnShapes: [] }],
    items: [{ hostname: 'accounts-fs-015', instance: 0, done: 86_399, lastAt: iso(0) }, {}, {}, {}],
  })
  const planned = await patternsForPlan(store, ids.segment)
  t.strictSame(
    planned.map(({ kind }) => kind),
    ['https', 'dns', 'ntp', 'tcp 21000', 'smb', 'ssh'],
  )
  t.match(planned[0], { kind: 'https', opening: [{ request: { length: 24 } }, { response: { length: 24 } }] })
  await t.rejects(run('mimicry', 'show', 'nowhere'), { code: 'NOT_FOUND' })

  const takenAt = async (hours: number, since: number) => {
    const told = { ...seen, at: iso(3600 * hours), from: iso(3600 * since) }
    const record = { pos: 950, agent: ids.agent, stream: 'features' as const, receivedAt: told.at, record: told }
    return (await store.tx((sql) => makeMimicryProjector().project(sql, [record]))).length === 1
  }
  const taken: number[] = []
  for (let hours = 200; hours < 260; hours++) if (await takenAt(hours, 199)) taken.push(hours)
  t.strictSame(taken, [200, 201, 203, 207, 215, 231, 255], 'often while it is young, then once a day')
})
