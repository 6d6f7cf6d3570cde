import t, { type Test } from 'tap'
import { makePageProbe } from '../../../agent/health/index.ts'
import { agentPlaceRoutes } from '../../../controller/api/routes/agent-places.ts'
import { agentsRoutes } from '../../../controller/api/routes/agents.ts'
import { decoyRoutes } from '../../../controller/api/routes/decoys.ts'
import { segmentRoutes } from '../../../controller/api/routes/segments.ts'
import { agentsCommand } from '../../../controller/cli/commands/agents.ts'
import { decoysCommand } from '../../../controller/cli/commands/decoys.ts'
import {
  careTables,
  certificateTables,
  codeTables,
  findAgent,
  fleetTables,
  keyTables,
  moveAgent,
  noteTold,
} from '../../../controller/fleet/index.ts'
import { ingestTables } from '../../../controller/ingest/index.ts'
import { updateTables } from '../../../controller/updates/index.ts'
import type { Hello } from '../../../shared/schemas/state.ts'
import { apiWorld } from '../segments/api-world.ts'
import { card, cidr, host, iso, scan, startedAt } from '../segments/fleet.ts'

async function setUp(t: Test, decoys = 0) {
  const world = await apiWorld(t, {
    routes: [agentsRoutes({ cutOff: async () => undefined }), agentPlaceRoutes, decoyRoutes, segmentRoutes],
    commands: [agentsCommand, decoysCommand],
    tables: [fleetTables, certificateTables, codeTables, careTables, keyTables, updateTables, ingestTables],
  })
  for (let i = 0; i < decoys; i++) await world.run('decoys', 'deploy', '--segment', 'office')
  const { store } = world
  /** All that the database holds. */
  const dump = async () => {
    const tables = await store.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
    return Promise.all(tables.map(async ({ name }) => [name, await store.all(`SELECT * FROM ${name}`)]))
  }
  const places = () =>
    store.all(
      'SELECT s.name, a.cidr, a.address FROM agent_segments a JOIN segments s ON s.id = a.segment ORDER BY s.name',
    )
  return { ...world, dump, places }
}

const wide = (text: string) => text.split('\n').filter((line) => line.length > 80)

t.test('tags: given, taken away, shown, looked for; one that is none is refused', async (t) => {
  const { run } = await setUp(t)
  t.match(await run('agents', 'tag', 'box', '+canary', '+floor-2', '--dry-run'), 'would have: canary floor-2')
  t.match(await run('agents', 'ls', '--tag', 'canary'), /^\s*$/)
  await run('agents', 'tag', 'box', '+canary', '+floor-2')
  t.match(await run('agents', 'tag', 'box', '-floor-2', '+x.1'), 'box has: canary x.1')
  t.match(await run('agents', 'ls', '--tag', 'canary', '--site', 'hq', '--segment', 'hq/office'), /box .*canary x\.1/)
  t.match(await run('agents', 'ls', '--tag', 'canary', '--site', 'elsewhere'), /^\s*$/)
  t.match(await run('agents', 'ls', '--state', 'online'), 'box')
  t.match(await run('agents', 'ls', '--state', 'offline'), /^\s*$/)
  t.match(await run('agents', 'show', 'box'), /tags +canary x\.1/)
  await t.rejects(run('agents', 'tag', 'box', 'canary'), { code: 'USAGE' })
  await t.rejects(run('agents', 'tag', 'box', '+a b'), { code: 'USAGE' })
  await t.rejects(run('agents', 'tag', 'box', '+a', '-a'), { code: 'USAGE' })
  await t.rejects(run('agents', 'tag', 'box', ...Array.from({ length: 31 }, (_, i) => `+t${i}`)), { code: 'CONFLICT' })
  t.match(await run('agents', 'show', 'box'), /tags +canary x\.1\n/, 'too many are none')
})

t.test('a box that is carried: its decoys leave, and it stands where it next says', async (t) => {
  const { run, see, places, dump, bus } = await setUp(t, 2)
  const events: unknown[] = []
  bus.on('plan-changed', (event) => events.push(event.agents))
  const before = await dump()
  const tried = await run('agents', 'move', 'box', '--site', 'berlin', '--segment', 'dmz', '--dry-run')
  t.match(tried, /Would move box from hq\/office to berlin\/dmz[\s\S]*(would leave.*\n.*){2}/)
  t.same(await dump(), before, 'a dry run changes nothing')
  t.same(wide(tried), [])
  t.same(events, [])
  await run('agents', 'move', 'box', '--site', 'berlin', '--segment', 'dmz')
  t.same(events, ['all'])
  t.same(await places(), [{ name: 'dmz', cidr: null, address: null }])
  t.match(await run('decoys', 'ls'), /^\s*$/)
  t.match(await run('agents', 'show', 'box'), /moved +from hq\/office/)
  // What it still had to tell of where it was.
  await see(card({ at: iso(-5) }), host(17), scan('quick', 60))
  t.same(await places(), [{ name: 'dmz', cidr: null, address: null }])
  await see(card({ at: iso(90), cidr: '198.18.7.0/24', address: '198.18.7.2' }))
  t.same(await places(), [{ name: 'dmz', cidr: '198.18.7.0/24', address: '198.18.7.2' }])
  await t.rejects(run('agents', 'move', 'box', '--site', 'berlin', '--segment', 'dmz'), { code: 'CONFLICT' })
  await run('agents', 'move', 'box', '--site', 'hq', '--segment', 'office')
  await see(card({ at: iso(200) }))
  t.match(await places(), [{ name: 'office', cidr }], 'and back')
})

t.test('the other site may have the same network', async (t) => {
  const { run, see, places } = await setUp(t)
  await run('agents', 'move', 'box', '--site', 'berlin', '--segment', 'office')
  await see(host(10, { at: iso(1) }))
  t.match(await places(), [{ cidr: null }])
  await see(card({ at: iso(60) }), host(11))
  t.match(await places(), [{ name: 'office', cidr }])
})

t.test('a box that stays: its card goes along, but not into a segment of another network', async (t) => {
  const { run, store, places, ids } = await setUp(t, 1)
  await store.run("INSERT INTO segments (id, site, name, cidr) VALUES ('far', ?, 'far', '198.18.9.0/24')", ids.site)
  await t.rejects(run('agents', 'move', 'box', '--site', 'hq', '--segment', 'far', '--stays'), { code: 'CONFLICT' })
  await run('agents', 'move', 'box', '--site', 'hq', '--segment', 'reception', '--stays')
  t.match(await places(), [{ name: 'reception', cidr, address: '198.18.1.2' }])
})

t.test('a move that breaks off in the middle has moved nothing', async (t) => {
  const { store, dump, ids } = await setUp(t, 3)
  const before = await dump()
  const agent = await findAgent(store, ids.agent)
  let retired = 0
  const retire = async (sql: typeof store, id: string) => {
    if (++retired === 2) throw new Error('power went')
    await sql.run("UPDATE decoys SET status = 'retired' WHERE id = ?", id)
  }
  const wish = { site: 'berlin', segment: 'dmz', stays: false, now: startedAt }
  await t.rejects(
    store.tx((sql) => moveAgent(sql, agent, wish, { retire: retire as never })),
    /power went/,
  )
  t.same(await dump(), before)
})

t.test('a configuration that was changed is told, until somebody accepts it', async (t) => {
  const { run, store, ids } = await setUp(t)
  const hello = (config: string): Hello => ({
    ...{ at: iso(0), agent: ids.agent, version: '1', roles: ['decoys'], hostname: 'box', config: config.repeat(64) },
    ...{ planRevision: 3, blocksRevision: 0, streams: {} },
  })
  await noteTold(store, hello('a'), iso(0))
  t.match(await run('agents', 'ls', '--drifted'), /^\s*$/)
  await noteTold(store, hello('b'), iso(1))
  await store.run(
    `INSERT INTO desired (agent, kind, revision, body, sig, issued_at, expires_at, content_hash) VALUES (?, 'plan', 4, '{}', '', '', '', '')`,
    ids.agent,
  )
  const shown = await run('agents', 'ls', '--drifted')
  t.match(shown, /box +plan +revision 3 +revision 4\n *box +agent\.json +b{12} +a{12}/)
  t.same(wide(shown), [])
  t.match(await run('agents', 'show', 'box'), /differs +plan: has revision 3, should revision 4/)
  await run('agents', 'accept', 'box')
  t.notMatch(await run('agents', 'ls', '--drifted'), /agent\.json/)
})

t.test('the centre can say where a box’s status page is, while it is there', async (t) => {
  const { run, store, ids } = await setUp(t)
  const told = async (page: () => string | undefined) => {
    const health = { agentRssMb: 1, probes: { page: await makePageProbe(page).measure() } }
    await store.run(
      'INSERT OR REPLACE INTO agent_health (agent, at, body) VALUES (?, ?, ?)',
      ...[ids.agent, iso(0), JSON.stringify(health)],
    )
    return run('agents', 'show', 'box')
  }
  t.match(await told(() => 'http://169.254.77.1/'), /status page +http:\/\/169\.254\.77\.1\/\n/)
  t.notMatch(await told(() => undefined), /status page +http/)
})

t.test('the inventory is exported with its columns in their order', async (t) => {
  const { run, store, ids } = await setUp(t, 1)
  await run('agents', 'tag', 'box', '+canary')
  await store.run('UPDATE agents SET hostname = ? WHERE id = ?', '=HYPERLINK("http://x","y")', ids.agent)
  const [header, row, ...rest] = (await run('agents', 'export')).split('\r\n')
  t.equal(
    header,
    'name,id,state,site,segment,network,address,mac,roles,tags,hostname,hardware,agent_version,decoys_version,' +
      'system_version,architecture,enrolled_at,last_seen,certificate_serial,certificate_until,differs_in,decoys_wanted,decoys_ready',
  )
  t.match(
    row,
    `box,${ids.agent},online,hq,office,${cidr},198.18.1.2,00:50:56:aa:00:02,decoys,canary,"'=HYPERLINK(""http`,
  )
  t.same(rest, [''])
  t.match(JSON.parse(await run('agents', 'export', '--format', 'json')), [{ name: 'box', decoys_wanted: 1 }])
})
