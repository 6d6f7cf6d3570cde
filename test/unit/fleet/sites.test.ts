import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { agentPlaceRoutes } from '../../../controller/api/routes/agent-places.ts'
import { agentsRoutes } from '../../../controller/api/routes/agents.ts'
import { siteRoutes } from '../../../controller/api/routes/sites.ts'
import { agentsCommand } from '../../../controller/cli/commands/agents.ts'
import { sitesCommand } from '../../../controller/cli/commands/sites.ts'
import { listDecoys, makeDecoyActions, makePlacement } from '../../../controller/decoys/index.ts'
import { driftSettingTables } from '../../../controller/drift/index.ts'
import {
  careTables,
  certificateTables,
  codeTables,
  fleetTables,
  keyTables,
  plannedSegments,
  type SitePlan,
  siteDifferences,
  sitePlan,
} from '../../../controller/fleet/index.ts'
import { ingestTables } from '../../../controller/ingest/index.ts'
import { readPersona } from '../../../controller/personas/index.ts'
import { underPlans } from '../../../controller/serve/adaptation.ts'
import { updateTables } from '../../../controller/updates/index.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { apiWorld } from '../segments/api-world.ts'

async function setUp(t: Test) {
  const world = await apiWorld(t, {
    routes: [agentsRoutes({ cutOff: async () => undefined }), agentPlaceRoutes, siteRoutes],
    commands: [agentsCommand, sitesCommand],
    tables: [
      fleetTables,
      certificateTables,
      codeTables,
      careTables,
      keyTables,
      updateTables,
      ingestTables,
      driftSettingTables,
    ],
  })
  const { config, store, bus, clock } = world
  const actions = makeDecoyActions({ config, clock, random: systemRandom })
  const placement = makePlacement({ config, store, bus, clock, log: silentLog, actions, planned: plannedSegments })
  const file = (plan: unknown) => {
    const path = join(world.dataDir, 'plan.json')
    writeFileSync(path, JSON.stringify(plan))
    return path
  }
  t.teardown(() => {
    process.exitCode = 0
  })
  return { ...world, actions, placement, file }
}

const wide = (text: string) => text.split('\n').filter((line) => line.length > 80)

t.test('a site is planned before its box is there; the box that comes gets what was planned', async (t) => {
  const { run, file } = await setUp(t)
  const plan = { tags: ['retail'], segments: [{ name: 'office', tags: ['canary'], decoys: 2 }, { name: 'guests' }] }
  t.match(await run('sites', 'template', 'save', 'branch', '--file', file(plan)), 'Saved template branch')
  t.match(await run('sites', 'template'), /branch +office guests +2 +retail/)
  t.match(await run('sites', 'plan', 'berlin', '--template', 'branch', '--dry-run'), 'Would plan berlin: 2 segments.')
  t.notMatch(await run('sites'), /berlin/)
  await run('sites', 'plan', 'berlin', '--template', 'branch')
  t.match(await run('sites'), /berlin +2 +0 +0 +2 +branch +2/)
  t.match(await run('sites', 'diff', 'berlin'), /office +boxes +0 +1\nguests +boxes +0 +1/)

  await run('agents', 'tag', 'box', '+mine')
  await run('agents', 'move', 'box', '--site', 'berlin', '--segment', 'office', '--stays')
  t.match(await run('agents', 'ls', '--site', 'berlin'), /box .*canary mine retail/)
  const shown = await run('sites', 'show', 'berlin')
  t.match(shown, /office +198\.18\.1\.0\/24 +box +1 +0\/0 +2 +- +canary/)
  t.same(wide(shown), [])
  t.match(await run('sites', 'diff', 'berlin'), /guests +boxes +0 +1\n/)
  await run('agents', 'move', 'box', '--site', 'hq', '--segment', 'office', '--stays')
  t.match(await run('agents', 'ls'), /box .* {2}mine\n/, 'the tags of the place stay there')
})

t.test('boxes that stand at a site get its tags with the plan, and lose them with it', async (t) => {
  const { run, file } = await setUp(t)
  await run('sites', 'plan', 'hq', '--file', file({ tags: ['a'], segments: [{ name: 'office' }] }))
  t.match(await run('agents', 'ls', '--tag', 'a'), 'box')
  t.match(await run('sites', 'diff', 'hq'), 'hq is as it is planned.')
  await run('sites', 'plan', 'hq', '--file', file({ tags: ['b'], segments: [{ name: 'office' }] }))
  t.match(await run('agents', 'ls', '--tag', 'a'), /^\s*$/)
  t.match(await run('sites', 'unplan', 'hq', '--dry-run'), 'Would forget')
  t.match(await run('agents', 'ls', '--tag', 'b'), 'box')
  await run('sites', 'unplan', 'hq')
  t.match(await run('agents', 'ls', '--tag', 'b'), /^\s*$/)
  await t.rejects(run('sites', 'diff', 'hq'), { code: 'CONFLICT', message: /not planned/ })
})

t.test('placement keeps as many decoys as are planned, of the families that are planned', async (t) => {
  const { run, file, placement, store, actions } = await setUp(t)
  const nobody = file({ segments: [{ name: 'office', families: ['nobody'] }] })
  await t.rejects(run('sites', 'plan', 'hq', '--file', nobody), { code: 'NOT_FOUND' }, 'a family that nobody knows')
  const { templates } = (await actions.data()).catalogue
  const families = templates
    .filter(({ ssh }) => ssh)
    .slice(0, 2)
    .map(({ id }) => id)
  await run('sites', 'plan', 'hq', '--file', file({ segments: [{ name: 'office', decoys: 4, families }] }))
  await placement.pass()
  const decoys = await listDecoys(store)
  t.equal(decoys.length, 4)
  const shown = await Promise.all(decoys.map(async (one) => (await readPersona(store, one.persona, 1))?.family ?? ''))
  for (const family of families) t.equal(shown.filter((one) => one === family).length, 2, family)
  await run('sites', 'plan', 'hq', '--file', file({ segments: [{ name: 'office', decoys: 1 }] }))
  await placement.pass()
  t.equal((await listDecoys(store)).length, 1)
  await run('sites', 'plan', 'hq', '--file', file({ segments: [{ name: 'office', decoys: 200 }] }))
  t.match(await run('sites', 'diff', 'hq'), /decoys +8 at most/)
})

t.test('a segment may be planned without drift: to adaptation that is as what an administrator set', async (t) => {
  const { run, file, placement, store } = await setUp(t)
  const plan = (drift?: string) =>
    run('sites', 'plan', 'hq', '--file', file({ segments: [{ name: 'office', decoys: 1, drift }] }))
  await plan('none')
  await placement.pass()
  const decoy = (await listDecoys(store))[0]?.id ?? ''
  const [from, to] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']
  const when = { decoy, source: '198.18.1.66', from, to }
  t.match(await run('sites', 'show', 'hq'), /none/)
  t.match(await underPlans.inForce(store, decoy), [{ by: 'admin', source: undefined }])
  t.equal(await underPlans.wasSetByHand(store, when), true)
  for (const drift of ['adapted', undefined]) {
    await plan(drift)
    t.same(await underPlans.inForce(store, decoy), [])
    t.equal(await underPlans.wasSetByHand(store, when), false)
  }
  await t.rejects(plan('wild'), { message: /drift/ })
})

t.test('how a site differs from its plan', async (t) => {
  const plan = sitePlan.parse({ tags: ['x'], segments: [{ name: 'a', cidr: '10.0.0.0/24', decoys: 2 }] })
  const box = { name: 'box', online: true, tags: ['x', 'y'] }
  const segment = { name: 'a', cidr: '10.0.0.0/24', boxes: [box], decoys: { wanted: 2, ready: 2 } }
  const has = { segments: [segment], mostDecoys: 8 }
  t.same(siteDifferences(plan, has), [])
  t.same(siteDifferences(plan, { ...has, segments: [...has.segments, { ...segment, name: 'a-eth1' }] }), [])
  const cases: [object, string][] = [
    [{ boxes: [] }, 'boxes'],
    [{ boxes: [{ ...box, tags: [] }] }, 'tags of box'],
    [{ boxes: [{ ...box, online: false }] }, 'box'],
    [{ cidr: '10.0.1.0/24' }, 'network'],
    [{ decoys: { wanted: 2, ready: 1 } }, 'decoys'],
  ]
  for (const [more, what] of cases)
    t.match(siteDifferences(plan, { ...has, segments: [{ ...segment, ...more }] }), [{ where: 'a', what }])
  const changed: SitePlan = { ...plan, tags: [] }
  t.match(siteDifferences(plan, { ...has, template: changed }), [{ what: 'template', has: 'changed since' }])
  t.match(siteDifferences(plan, { ...has, template: null }), [{ what: 'template', has: 'removed' }])
})

t.test('a plan that is none is refused, with what is wrong in it', async (t) => {
  const { run, file, store } = await setUp(t)
  const bad: [unknown, RegExp][] = [
    [{}, /segments/],
    [{ segments: [] }, /segments/],
    [{ segments: [{ name: 'a' }, { name: 'a' }] }, /two segments have one name/],
    [{ segments: [{ name: 'a', decoys: -1 }] }, /decoys/],
    [{ segments: [{ name: 'a', decoy: 1 }] }, /decoy/],
    [{ segments: [{ name: '../a' }] }, /name/],
    [{ tags: ['a b'], segments: [{ name: 'a' }] }, /tags/],
  ]
  for (const [plan, why] of bad)
    await t.rejects(run('sites', 'template', 'save', 'x', '--file', file(plan)), { code: 'USAGE', message: why })
  await t.rejects(run('sites', 'plan', 'hq'), { code: 'USAGE' })
  await t.rejects(run('sites', 'plan', 'hq', '--template', 'none'), { code: 'NOT_FOUND' })
  t.same(await store.all('SELECT * FROM site_templates'), [])
})
